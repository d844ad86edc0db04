//! Revocation, and the APIs that a token opens.

use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::Request;
use serde_json::{Value, json};

use crate::world::{
    APP, BASE, Host, credentials, form, host, host_with, oauth_error, post_sms, read,
    request_error, string, text,
};

// Revoke

#[test]
fn revoking_a_refresh_token_takes_its_access_token_along() {
    for hint in ["refresh_token", "access_token", "nonsense"] {
        let mut host = host();
        let pair = host.pair("DC");
        let reply = host.revoke(&string(&pair, "refresh_token"), hint);
        assert_eq!((reply.status, text(&reply)), (200, ""));
        assert_eq!(host.device(&string(&pair, "access_token")).status, 401);
        assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 400);
    }
}

#[test]
fn revoking_an_access_token_leaves_the_refresh_token() {
    let mut host = host();
    let pair = host.pair("DC");
    assert_eq!(
        host.revoke(&string(&pair, "access_token"), "access_token")
            .status,
        200
    );
    assert_eq!(host.device(&string(&pair, "access_token")).status, 401);
    assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 200);
}

#[test]
fn an_unknown_token_is_as_good_as_revoked_and_another_apps_stays() {
    let mut host = host();
    let pair = host.pair("DC");
    assert_eq!(host.revoke("unknown", "refresh_token").status, 200);
    let body = form(&[("client_id", "other"), ("client_secret", "other-secret")])
        .set("token", &string(&pair, "refresh_token"));
    let request = Request::form(format!("{BASE}/oauth/v4/revoke"), body.encode());
    assert_eq!(host.send(request).status, 200);
    assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 200);
}

#[test]
fn revoking_needs_credentials_and_a_token() {
    let mut host = host();
    let send = |host: &mut Host, form: Form| {
        let request = Request::form(format!("{BASE}/oauth/v4/revoke"), form.encode());
        oauth_error(&host.send(request))
    };
    let nobody = form(&[("client_id", APP), ("token", "x")]);
    assert_eq!(send(&mut host, nobody), (401, "invalid_client".into()));
    assert_eq!(
        send(&mut host, credentials()),
        (400, "invalid_request".into())
    );
}

// Resource APIs

#[test]
fn the_device_is_the_users_own() {
    let mut host = host();
    let pair = host.pair("DC");
    let info = read(&host.device(&string(&pair, "access_token")));
    assert_eq!(
        info["DeviceInfo"]["Capabilities"]["Name"],
        "Difference Engine 2"
    );
}

#[test]
fn an_api_answers_by_the_status_table() {
    let mut host = host();
    let mim = string(&host.pair("MIM"), "access_token");
    let bad = format!("{mim}x");
    for (authorization, status, id) in [
        (None, 400, "POL0001"),
        (Some("Bearer".to_owned()), 401, "POL0001"),
        (Some(format!("Bearer {bad}")), 401, "POL0001"),
        (Some(format!("Basic {mim}")), 401, "POL0001"),
        (Some(format!("Bearer {mim}")), 403, "POL0001"),
    ] {
        let mut request = Request::get(format!("{BASE}/rest/2/Devices/Info"));
        if let Some(value) = &authorization {
            request.headers.append("authorization", value.clone());
        }
        let (got, got_id, _) = request_error(&host.send(request));
        assert_eq!((got, &*got_id), (status, id), "{authorization:?}");
    }
}

#[test]
fn the_scheme_may_have_any_case() {
    let mut host = host();
    let token = string(&host.pair("MIM"), "access_token");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let mut request = Request::get(format!("{BASE}/myMessages/v2/messages?limit=2&offset=1"));
        request
            .headers
            .append("Authorization", format!("{scheme} {token}"));
        let list = read(&host.send(request));
        assert_eq!(list["messageList"]["messages"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_wrong_input_to_an_api_is_a_service_exception() {
    let mut host = host();
    let token = string(&read(&host.app_token("SMS")), "access_token");
    for (body, id) in [
        ("", "SVC0001"),
        ("{", "SVC0001"),
        ("{}", "SVC0002"),
        (r#"{"outboundSMSRequest":7}"#, "SVC0002"),
        (
            r#"{"outboundSMSRequest":{"address":"tel:+12065550100,x","message":"m"}}"#,
            "SVC0002",
        ),
        (
            r#"{"outboundSMSRequest":{"address":"x,tel:1","message":"m"}}"#,
            "SVC0004",
        ),
        (
            r#"{"outboundSMSRequest":{"address":"tel:+12065550100"}}"#,
            "SVC0002",
        ),
    ] {
        let (status, got, _) = request_error(&post_sms(&mut host, &token, body));
        assert_eq!((status, &*got), (400, id), "{body}");
    }
}

#[test]
fn an_exception_tells_in_its_variables_what_its_text_leaves_open() {
    let mut host = host();
    let mim = string(&host.pair("MIM"), "access_token");
    let mut exception = |path: &str, kind: &str| {
        let mut request = Request::get(format!("{BASE}{path}"));
        let bearer = format!("Bearer {mim}");
        request.headers.append("authorization", bearer);
        let response = host.send(request);
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        let exception = &body["RequestError"][kind];
        let text = |name| exception[name].as_str().map(String::from);
        (response.status, text("MessageId"), text("Variables"))
    };
    let told = |status, id: &str, variables: &str| {
        (status, Some(id.to_owned()), Some(variables.to_owned()))
    };
    assert_eq!(
        exception("/rest/2/Devices/Info", "PolicyException"),
        told(403, "POL0001", "DC")
    );
    for (query, id, variables) in [
        ("limit=501", "SVC0003", "limit,0 to 500"),
        ("limit=all", "SVC0003", "limit,0 to 500"),
        ("offset=-1", "SVC0002", "offset"),
    ] {
        let path = format!("/myMessages/v2/messages?{query}");
        assert_eq!(
            exception(&path, "ServiceException"),
            told(400, id, variables)
        );
    }
    // And it may be missing [S].
    let response = host.device("x");
    assert!(!text(&response).contains("Variables"));
}

#[test]
fn there_are_no_cors_headers_unless_switched_on() {
    let preflight = || Request {
        method: "OPTIONS".into(),
        ..Request::get(format!("{BASE}/rest/2/Devices/Info"))
    };
    let mut host = host();
    assert_eq!(host.send(preflight()).status, 405);
    let token = string(&host.pair("DC"), "access_token");
    assert_eq!(
        host.device(&token)
            .headers
            .get("access-control-allow-origin"),
        None
    );

    let mut host = host_with(json!({ "cors": true }));
    let reply = host.send(preflight());
    assert_eq!(reply.status, 204);
    let token = string(&host.pair("DC"), "access_token");
    assert_eq!(
        host.device(&token)
            .headers
            .get("access-control-allow-origin"),
        Some("*")
    );
    assert_eq!(
        host.start("DC").headers.get("access-control-allow-origin"),
        None
    );
}
