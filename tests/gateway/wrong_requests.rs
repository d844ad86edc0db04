//! What comes in otherwise than it should.

use att_oauth::protocol::http::{FORM, Request};
use serde_json::{Value, json};

use crate::world::{BASE, host, host_with, oauth_error, read, request_error, text, token_request};

#[test]
fn a_wrong_path_or_method_gets_att_s_shape() {
    let mut host = host();
    let mut send = |method: &str, path: &str| {
        let request = Request {
            method: method.into(),
            ..Request::get(format!("{BASE}{path}"))
        };
        host.send(request)
    };
    for path in [
        "/",
        "",
        "/oauth/v4",
        "/oauth/v4/token/",
        "/OAUTH/v4/token",
        "/rest/2/Devices",
        "/é",
    ] {
        assert_eq!(request_error(&send("GET", path)).0, 404, "{path}");
    }
    for (method, path, allow) in [
        ("GET", "/oauth/v4/token", "POST"),
        ("PUT", "/oauth/v4/revoke", "POST"),
        ("DELETE", "/oauth/v4/authorize", "GET, POST"),
        ("HEAD", "/rest/2/Devices/Info", "GET"),
        ("", "/sms/v3/messaging/outbox", "POST"),
    ] {
        let response = send(method, path);
        assert_eq!(
            (response.status, response.headers.get("allow")),
            (405, Some(allow))
        );
    }
}

#[test]
fn whatever_comes_in_is_answered() {
    let mut host = host();
    let paths = [
        "/oauth/v4/authorize",
        "/oauth/v4/token",
        "/oauth/v4/revoke",
        "/rest/2/Devices/Info",
        "/myMessages/v2/messages",
        "/sms/v3/messaging/outbox",
    ];
    let texts = [
        "",
        "%",
        "&&&",
        "=",
        "client_id=%ff",
        "client_id=app%20key&redirect_uri=https://app.example/cb?%00",
        "ticket=%",
        "limit=-1&offset=99999999999",
        "\u{0}\u{fffd}",
    ];
    let bodies: [&[u8]; 5] = [
        b"",
        b"\xff\xfe",
        b"{\"a\":",
        b"grant_type=refresh_token&grant_type=x",
        &[b'['; 60_000],
    ];
    for path in paths {
        for (text, body) in texts
            .iter()
            .flat_map(|text| bodies.map(|body| (text, body)))
        {
            for method in ["GET", "POST", "TRACE"] {
                for kind in [FORM, "application/json", "\u{1}"] {
                    for now in [0.0, -1e300, f64::NAN, f64::INFINITY, 1e18] {
                        let mut request =
                            Request::form(format!("{BASE}{path}?{text}#f"), String::new());
                        request.method = method.into();
                        request.body = body.to_vec();
                        request.headers = [
                            ("content-type", kind),
                            ("authorization", "Bearer x"),
                            ("cookie", ";=;gateway_emulator_remember"),
                        ]
                        .into_iter()
                        .collect();
                        let reply = host.gateway.handle(&request, now, [7; 32]);
                        assert!((200..500).contains(&reply.response.status));
                    }
                }
            }
        }
    }
    assert!(host.gateway.shown_log().len() <= 200);
}

#[test]
fn a_body_or_url_that_is_too_long_is_refused() {
    let mut host = host();
    let long = Request::form(format!("{BASE}/oauth/v4/token"), "x".repeat(65_537));
    assert_eq!(host.send(long).status, 413);
    let long = Request::get(format!("{BASE}/oauth/v4/authorize?{}", "x".repeat(9000)));
    assert_eq!(host.send(long).status, 414);
}

#[test]
fn a_body_that_is_no_form_is_an_invalid_request() {
    for (kind, body) in [
        ("application/json", &b"{}"[..]),
        ("", b"a=b"),
        (FORM, b"\xff"),
    ] {
        let mut request = token_request(&[]);
        request.headers = [("content-type", kind)].into_iter().collect();
        request.body = body.to_vec();
        assert_eq!(
            oauth_error(&host().send(request)),
            (400, "invalid_request".into())
        );
    }
    let mut host = host();
    let mut request = token_request(&[("grant_type", "client_credentials"), ("scope", "SMS")]);
    request.headers = [(
        "Content-Type",
        "Application/X-WWW-Form-URLencoded ; charset=UTF-8",
    )]
    .into_iter()
    .collect();
    assert_eq!(host.send(request).status, 200);
}

#[test]
fn accept_sets_the_format_of_oauth_errors_which_is_json_by_default() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
               <OAuth><error>invalid_grant</error><error_description>The code is invalid, used or \
               expired</error_description></OAuth>";
    let ask = |options: Value, accept: Option<&str>| {
        let mut request = token_request(&[("grant_type", "authorization_code"), ("code", "x")]);
        let accept = accept.map(|accept| ("accept", accept));
        request.headers = accept.into_iter().chain([("content-type", FORM)]).collect();
        let response = host_with(options).send(request);
        assert_eq!(response.status, 400);
        match response.headers.get("content-type").unwrap() {
            "application/xml" => assert_eq!(text(&response), xml),
            "application/json" => assert_eq!(oauth_error(&response).1, "invalid_grant"),
            other => panic!("{other}"),
        }
        response
            .headers
            .all("content-type")
            .map(String::from)
            .collect::<Vec<_>>()
    };
    for (accept, kind) in [
        (None, "application/json"),
        (Some(""), "application/json"),
        (Some("*/*"), "application/json"),
        (Some("image/png"), "application/json"),
        (
            Some("application/json, application/xml"),
            "application/json",
        ),
        (Some("application/xml"), "application/xml"),
        (Some("Text/XML; q=0.9, application/json"), "application/xml"),
    ] {
        assert_eq!(ask(json!({}), accept), [kind], "{accept:?}");
        for format in ["json", "xml"] {
            let kind = format!("application/{format}");
            assert_eq!(ask(json!({ "errorFormat": format }), accept), [kind]);
        }
    }
}

#[test]
fn only_oauth_errors_are_written_in_xml_and_those_of_faults_are() {
    let rules = json!([{ "kind": "unavailable", "endpoint": "revoke" }]);
    let mut host = host_with(json!({ "errorFormat": "xml", "faults": rules }));
    let reply = host.revoke("x", "access_token");
    assert_eq!(reply.headers.get("retry-after"), Some("1"));
    assert!(text(&reply).contains("<error>temporarily_unavailable</error>"));
    assert!(read(&host.app_token("SMS"))["access_token"].is_string());
    assert_eq!(request_error(&host.device("x")).0, 401);
}
