//! Codes, refresh tokens and app tokens at the token endpoint.

use att_oauth::gateway::Live;
use att_oauth::protocol::http::Request;
use serde_json::{Value, json};

use crate::world::{
    BASE, DAY, Host, credentials, form, host, host_with, oauth_error, read, send_sms, string,
};

#[test]
fn a_code_gives_the_documented_reply() {
    let mut host = host();
    let code = host.code("DC");
    let reply = host.token(&[("grant_type", "authorization_code"), ("code", &code)]);
    assert_eq!(reply.headers.get("content-type"), Some("application/json"));
    assert_eq!(reply.headers.get("cache-control"), Some("no-store"));
    let body = read(&reply);
    let names: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["access_token", "expires_in", "refresh_token", "token_type"]
    );
    assert_eq!(body["expires_in"], json!(172_800));
    assert_eq!(body["token_type"], "bearer");

    let alphanumeric =
        |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_alphanumeric());
    let access = string(&body, "access_token");
    assert!(
        alphanumeric(access.strip_prefix("BF-ACSI~4~20150830211106~").unwrap()),
        "{access}"
    );
    assert!(alphanumeric(&string(&body, "refresh_token")));
}

#[test]
fn a_code_works_once() {
    let mut host = host();
    let code = host.code("DC");
    let fields = [("grant_type", "authorization_code"), ("code", &*code)];
    let first = read(&host.token(&fields));
    assert_eq!(
        oauth_error(&host.token(&fields)),
        (400, "invalid_grant".into())
    );
    assert_eq!(host.device(&string(&first, "access_token")).status, 200);
}

#[test]
fn a_code_expires() {
    let mut host = host_with(json!({ "codeTtl": 60 }));
    let code = host.code("DC");
    host.now += 60_000.0;
    let reply = host.token(&[("grant_type", "authorization_code"), ("code", &code)]);
    assert_eq!(oauth_error(&reply), (400, "invalid_grant".into()));
}

#[test]
fn another_apps_code_or_refresh_token_is_refused_and_not_spent() {
    let mut host = host();
    let code = host.code("DC");
    let other = |host: &mut Host, name: &str, value: &str, grant: &str| {
        let form = form(&[("client_id", "other"), ("client_secret", "other-secret")])
            .set("grant_type", grant)
            .set(name, value);
        let request = Request::form(format!("{BASE}/oauth/v4/token"), form.encode());
        oauth_error(&host.send(request))
    };
    let refused = (400, "invalid_grant".to_owned());
    assert_eq!(
        other(&mut host, "code", &code, "authorization_code"),
        refused
    );
    let pair = read(&host.token(&[("grant_type", "authorization_code"), ("code", &code)]));
    let refresh = string(&pair, "refresh_token");
    assert_eq!(
        other(&mut host, "refresh_token", &refresh, "refresh_token"),
        refused
    );
    assert_eq!(host.refresh(&refresh).status, 200);
}

#[test]
fn refreshing_kills_the_old_pair() {
    let mut host = host();
    let old = host.pair("DC");
    let new = read(&host.refresh(&string(&old, "refresh_token")));
    assert_ne!(old["access_token"], new["access_token"]);
    assert_ne!(old["refresh_token"], new["refresh_token"]);
    assert_eq!(host.device(&string(&old, "access_token")).status, 401);
    assert_eq!(host.device(&string(&new, "access_token")).status, 200);
    let again = host.refresh(&string(&old, "refresh_token"));
    assert_eq!(oauth_error(&again), (400, "invalid_grant".into()));
    assert_eq!(host.refresh(&string(&new, "refresh_token")).status, 200);
    assert_eq!(
        host.live(),
        Live {
            codes: 0,
            access_tokens: 1,
            refresh_tokens: 1
        }
    );
}

#[test]
fn a_refresh_token_outlives_its_access_token_and_then_expires() {
    let mut host = host();
    let pair = host.pair("DC");
    let refresh = string(&pair, "refresh_token");
    host.now += 2.0 * DAY;
    assert_eq!(host.device(&string(&pair, "access_token")).status, 401);
    host.now += 88.0 * DAY - 1.0;
    let pair = read(&host.refresh(&refresh));
    host.now += 90.0 * DAY;
    assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 400);
}

#[test]
fn an_app_token_comes_with_a_refresh_token_that_works() {
    let mut host = host();
    let pair = read(&host.app_token("SMS,SPEECH"));
    let pair = read(&host.refresh(&string(&pair, "refresh_token")));
    assert_eq!(
        send_sms(&mut host, &string(&pair, "access_token")).status,
        201
    );
}

#[test]
fn an_app_token_needs_a_scope_that_the_app_has_and_that_needs_no_consent() {
    for (scope, error) in [
        ("DC", "invalid_scope"),
        ("SMS,MIM", "invalid_scope"),
        ("TTS", "invalid_scope"),
        ("SMS SPEECH", "invalid_scope"),
        ("", "invalid_request"),
    ] {
        assert_eq!(
            oauth_error(&host().app_token(scope)),
            (400, error.into()),
            "{scope}"
        );
    }
    assert_eq!(host().app_token("SESSIONS:ADTM").status, 200);
}

#[test]
fn an_app_token_ends_the_one_before_unless_switched_off() {
    for (option, status) in [
        (json!({}), 401),
        (json!({ "appTokenEndsEarlier": false }), 201),
    ] {
        let mut host = host_with(option);
        let user = host.pair("DC");
        let first = read(&host.app_token("SMS"));
        let second = read(&host.app_token("SMS"));
        assert_eq!(
            send_sms(&mut host, &string(&first, "access_token")).status,
            status
        );
        assert_eq!(
            send_sms(&mut host, &string(&second, "access_token")).status,
            201
        );
        assert_eq!(host.device(&string(&user, "access_token")).status, 200);
    }
}

#[test]
fn a_second_sign_in_ends_the_first_only_where_switched_on() {
    for (option, status) in [(json!({}), 200), (json!({ "signInEndsOthers": true }), 400)] {
        let mut host = host_with(option);
        let first = host.pair("DC");
        host.pair("DC");
        assert_eq!(
            host.refresh(&string(&first, "refresh_token")).status,
            status
        );
    }
}

#[test]
fn expires_in_and_token_type_are_written_as_switched() {
    for (options, expires_in) in [
        (json!({ "accessTokenTtl": 60 }), json!(60)),
        (
            json!({ "accessTokenTtl": 60, "expiresIn": "string" }),
            json!("60"),
        ),
        (json!({ "expiresIn": "absent" }), Value::Null),
        (json!({ "accessTokenTtl": 0 }), json!(0)),
    ] {
        let mut host = host_with(options);
        assert_eq!(host.pair("DC")["expires_in"], expires_in);
    }
    assert_eq!(
        host_with(json!({ "tokenType": "Bearer" })).pair("DC")["token_type"],
        "Bearer"
    );
}

#[test]
fn a_token_with_expires_in_0_never_expires() {
    let mut host = host_with(json!({ "accessTokenTtl": 0 }));
    let pair = host.pair("DC");
    host.now += 36_500.0 * DAY;
    assert_eq!(host.device(&string(&pair, "access_token")).status, 200);
}

#[test]
fn credentials_stand_in_the_body_and_nowhere_else() {
    let basic = {
        let mut request = Request::form(
            format!("{BASE}/oauth/v4/token"),
            form(&[("grant_type", "client_credentials"), ("scope", "SMS")]).encode(),
        );
        request
            .headers
            .append("authorization", "Basic YXBwIGtleTphcHAvc2VjcmV0KzE=");
        request
    };
    let in_query = Request::form(
        format!("{BASE}/oauth/v4/token?{}", credentials().encode()),
        "grant_type=client_credentials&scope=SMS".into(),
    );
    let body = |text: &str| Request::form(format!("{BASE}/oauth/v4/token"), text.into());
    for request in [
        basic,
        in_query,
        body("client_id=app%20key&client_secret=wrong&grant_type=refresh_token"),
        body("client_id=nobody&client_secret=app%2Fsecret%2B1&grant_type=refresh_token"),
        body("client_id=app%20key&grant_type=refresh_token"),
        body("client_id=other&client_secret=app%2Fsecret%2B1&grant_type=refresh_token"),
        body("client_id=app%20key&client_secret=&grant_type=refresh_token"),
    ] {
        assert_eq!(
            oauth_error(&host().send(request)),
            (401, "invalid_client".into())
        );
    }
}

#[test]
fn a_wrong_token_request_gets_the_error_of_the_standard() {
    for (fields, error) in [
        (vec![], "invalid_request"),
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (
            vec![("grant_type", "authorization_code")],
            "invalid_request",
        ),
        (
            vec![("grant_type", "authorization_code"), ("code", "x")],
            "invalid_grant",
        ),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        (
            vec![("grant_type", "refresh_token"), ("refresh_token", "x")],
            "invalid_grant",
        ),
        (
            vec![("grant_type", "client_credentials")],
            "invalid_request",
        ),
        (
            vec![
                ("grant_type", "refresh_token"),
                ("grant_type", "refresh_token"),
            ],
            "invalid_request",
        ),
    ] {
        assert_eq!(
            oauth_error(&host().token(&fields)),
            (400, error.into()),
            "{fields:?}"
        );
    }
}

#[test]
fn the_assumed_statuses_can_be_switched() {
    let mut host = host_with(json!({
        "errorStatus": { "invalid_client": 400, "unsupported_grant_type": 501 },
        "unknownTokenStatus": 400,
    }));
    let request = Request::form(format!("{BASE}/oauth/v4/token"), "grant_type=x".into());
    assert_eq!(host.send(request).status, 400);
    assert_eq!(host.token(&[("grant_type", "x")]).status, 501);
    assert_eq!(host.revoke("unknown", "access_token").status, 400);
}
