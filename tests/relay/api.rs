//! `/api/*`.

use att_oauth::protocol::http::Request;
use serde_json::{Value, json};

use crate::world::*;

const DEVICE: &str = "/rest/2/Devices/Info";

#[test]
fn a_listed_call_goes_out_with_the_sessions_token() {
    let mut world = world();
    let tokens = world.sign_in();
    let response = world.api("GET", DEVICE);
    assert_eq!(response.status, 200);
    assert_eq!(response.headers.get("att-oauth-generation"), Some("1"));
    assert_eq!(
        response.headers.get("access-control-allow-origin"),
        Some(APP)
    );
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert!(body.to_string().contains("Emulated"), "{body}");
    let sent = &world.gateway.log().last().unwrap().request;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    assert_eq!(sent.headers.get("authorization"), Some(bearer.as_str()));
    assert_eq!(sent.url, format!("{GATEWAY}{DEVICE}"));
}

#[test]
fn s38_what_came_in_about_the_caller_stays_here() {
    let mut world = world();
    world.sign_in();
    world.headers = with(&world.headers, "accept", Some("application/json"))
        .with("authorization", "Bearer evil")
        .with("x-forwarded-for", "1.2.3.4")
        .with("forwarded", "for=1.2.3.4");
    assert_eq!(world.api("GET", &format!("{DEVICE}?a=b")).status, 200);
    let sent = &world.gateway.log().last().unwrap().request;
    let names: Vec<_> = sent.headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["accept", "authorization"]);
    assert_eq!(sent.query(), "a=b");
}

#[test]
fn s38_nothing_beside_the_list_is_forwarded() {
    let mut world = world();
    world.sign_in();
    let calls = world.gateway_calls();
    for (method, path) in [
        ("POST", DEVICE),
        ("GET", "/oauth/v4/token"),
        ("GET", "/rest/2/Devices/Info/"),
        ("GET", "/rest/2/Devices/../Devices/Info"),
        ("GET", "/rest/2/Devices%2fInfo"),
        ("GET", "//evil.example/rest/2/Devices/Info"),
        ("GET", "/@evil.example/rest/2/Devices/Info"),
        ("GET", "/https://evil.example/"),
        ("POST", "/myMessages/%2e%2e/oauth/v4/revoke"),
        ("POST", "/myMessages/..%5c"),
        ("POST", "/myMessages/"),
        ("TRACE", DEVICE),
    ] {
        let response = world.api(method, path);
        assert_eq!(
            refusal(&response),
            (403, "access_denied".into()),
            "{method} {path}"
        );
    }
    assert_eq!(world.gateway_calls(), calls);
}

#[test]
fn without_a_session_the_gateway_is_not_reached() {
    let mut world = world();
    let response = world.api("GET", DEVICE);
    assert_eq!(refusal(&response), (401, "invalid_grant".into()));
    assert_eq!(response.headers.get("www-authenticate"), Some("Bearer"));
    assert!(response.headers.get("att-oauth-generation").is_none());
    let bare = world.send(Request::get(format!("{ISSUER}/api{DEVICE}")));
    assert_eq!(refusal(&bare), (403, "access_denied".into()));
    assert_eq!(world.gateway_calls(), 0);
}

#[test]
fn a_dead_token_comes_back_as_401_with_its_generation_and_is_renewed_once() {
    let mut world = world();
    world.sign_in();
    world.gateway.expire_access_tokens();
    let response = world.api("GET", DEVICE);
    assert_eq!(response.status, 401);
    assert_eq!(response.headers.get("www-authenticate"), Some("Bearer"));
    let generation = response
        .headers
        .get("att-oauth-generation")
        .unwrap()
        .to_owned();
    let tokens = read(&world.refresh(&[("rejected_generation", &generation)]));
    assert_eq!(tokens["generation"], 2);
    // A second tab that saw the same 401 gets the newer one.
    let again = read(&world.refresh(&[("rejected_generation", &generation)]));
    assert_eq!(again["access_token"], tokens["access_token"]);
    assert_eq!(world.api("GET", DEVICE).status, 200);
    assert_eq!(world.gateway.counts().token.refresh_token, 1);
}

#[test]
fn an_expired_token_is_renewed_on_the_way() {
    let mut world = world();
    world.sign_in();
    world.pass(DAY * 2.0);
    let response = world.api("GET", DEVICE);
    assert_eq!(response.status, 200);
    assert_eq!(response.headers.get("att-oauth-generation"), Some("2"));
}

#[test]
fn s38_a_redirect_of_the_api_is_not_handed_on() {
    let mut world = world();
    world.sign_in();
    world.fault(json!({ "endpoint": "api", "kind": "redirect" }));
    let response = world.api("GET", DEVICE);
    assert_eq!(refusal(&response), (502, "temporarily_unavailable".into()));
    assert!(response.headers.get("location").is_none());
    world.fault(json!({ "endpoint": "api", "kind": "cut" }));
    assert_eq!(refusal(&world.api("GET", DEVICE)).0, 502);
    assert_eq!(world.api("GET", DEVICE).status, 200);
}

#[test]
fn a_status_that_no_response_can_have_is_the_apis_failure() {
    let world = world();
    for status in [0, 100, 199, 600, 999] {
        let origin = Some(APP.to_owned());
        let headers = att_oauth::protocol::http::Headers::new();
        let (response, log) =
            att_oauth::relay::api_response(&world.config, origin, Some(status), &headers, Some(1));
        assert_eq!(refusal(&response), (502, "temporarily_unavailable".into()));
        assert_eq!(log.reason, "api_odd_status");
        assert_eq!(
            response.headers.get("access-control-allow-origin"),
            Some(APP)
        );
    }
}
