//! Whose pages may ask: origins, and the preflights that tell a browser so.

use att_oauth::protocol::http::{Headers, Request};

use crate::world::*;

#[test]
fn s17_only_the_apps_exact_origin_may_ask() {
    let mut world = world();
    world.sign_in();
    let calls = world.gateway_calls();
    let own = world.headers.clone();
    for origin in [
        "null",
        "",
        "http://app.example",
        "https://app.example:444",
        "https://app.example:443",
        "https://APP.example",
        "https://app.example.",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://app.example/",
        "https://app.exampl",
    ] {
        world.headers = with(&own, "origin", Some(origin));
        for response in [
            world.refresh(&[("rejected_generation", "1")]),
            world.revoke(),
            world.api("GET", "/rest/2/Devices/Info"),
        ] {
            assert_eq!(
                refusal(&response),
                (403, "access_denied".into()),
                "{origin}"
            );
            assert!(
                response
                    .headers
                    .get("access-control-allow-origin")
                    .is_none()
            );
        }
    }
    for (name, value) in [("origin", None), ("att-oauth-session", None)] {
        world.headers = with(&own, name, value);
        assert_eq!(
            refusal(&world.refresh(&[])),
            (403, "access_denied".into()),
            "{name}"
        );
        assert_eq!(
            refusal(&world.revoke()),
            (403, "access_denied".into()),
            "{name}"
        );
    }
    assert_eq!(world.gateway_calls(), calls);
    world.headers = own;
    let response = world.refresh(&[]);
    assert_eq!(
        response.headers.get("access-control-allow-origin"),
        Some(APP)
    );
    assert_eq!(
        response.headers.get("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(
        response.headers.get("access-control-expose-headers"),
        Some("Date, Retry-After, att-oauth-generation")
    );
}

#[test]
fn s17_a_same_origin_get_bears_no_origin_and_its_header_speaks_for_it() {
    let mut world = world();
    world.sign_in();
    let own = with(&world.headers, "origin", None);
    world.headers = own.clone();
    assert_eq!(world.api("GET", "/rest/2/Devices/Info").status, 200);
    for headers in [
        with(&own, "att-oauth-session", None),
        with(&own, "sec-fetch-site", Some("none")),
        with(&own, "sec-fetch-site", Some("same-site")),
    ] {
        world.headers = headers;
        let response = world.api("GET", "/rest/2/Devices/Info");
        assert_eq!(refusal(&response), (403, "access_denied".into()));
    }
}

#[test]
fn s17_preflights_are_answered_for_the_app_alone() {
    let mut world = world();
    let mut ask = |path: &str, origin: &str| {
        world.send(Request {
            method: "OPTIONS".into(),
            url: format!("{ISSUER}{path}"),
            headers: Headers::new()
                .with("origin", origin)
                .with("access-control-request-method", "POST")
                .with(
                    "access-control-request-headers",
                    "att-oauth-session,content-type,cookie,x-arg",
                ),
            body: Vec::new(),
        })
    };
    let response = ask("/token", APP);
    assert_eq!(response.status, 204);
    let allowed = |response: &att_oauth::protocol::http::Response| {
        response
            .headers
            .get("access-control-allow-headers")
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        response.headers.get("access-control-allow-origin"),
        Some(APP)
    );
    assert_eq!(allowed(&response), "att-oauth-session, content-type");
    assert_eq!(
        allowed(&ask("/api/x", APP)),
        "att-oauth-session, content-type, x-arg"
    );
    for path in ["/token", "/revoke", "/api/x"] {
        let response = ask(path, "https://evil.example");
        assert_eq!(response.status, 403);
        assert!(
            response
                .headers
                .iter()
                .all(|(n, _)| !n.starts_with("access-control"))
        );
    }
    for path in ["/authorize", "/callback"] {
        assert_eq!(ask(path, APP).status, 405, "{path}");
    }
}
