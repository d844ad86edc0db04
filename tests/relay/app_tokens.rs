//! App tokens: `client_credentials` for who is signed in.

use att_oauth::protocol::http::{Headers, Request, Response};
use serde_json::{Value, json};

use crate::world::*;

const OUTBOX: &str = "/sms/v3/messaging/outbox";

fn world() -> World {
    world_of(json!({}))
}

fn world_of(more: Value) -> World {
    let mut options = json!({
        "appScopes": "SMS MMS",
        "api": ["GET /rest/2/Devices/Info", "POST /sms/v3/ app:SMS"],
    });
    let members = options.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    world_with(options, json!({}))
}

fn app_token(world: &mut World, fields: &[(&str, &str)]) -> Response {
    let mut all = vec![("grant_type", "client_credentials"), ("client_id", "key")];
    all.extend(fields);
    world.post("/token", &all)
}

fn made(world: &World) -> u64 {
    world.gateway.counts().token.client_credentials
}

#[test]
fn s21_all_who_are_signed_in_share_one_token_per_scope_set() {
    let mut world = world();
    world.sign_in();
    let one = read(&app_token(&mut world, &[("scope", "SMS MMS")]));
    let mut members: Vec<_> = one
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    let known = [
        "access_token",
        "expires_in",
        "generation",
        "scope",
        "token_type",
    ];
    assert_eq!(members, known);
    world.jar.clear();
    world.sign_in();
    // In another order, or by default, it is the same set.
    for fields in [&[("scope", "MMS SMS")][..], &[]] {
        let two = read(&app_token(&mut world, fields));
        assert_eq!(two["access_token"], one["access_token"]);
    }
    let other = read(&app_token(&mut world, &[("scope", "SMS")]));
    assert_ne!(other["access_token"], one["access_token"]);
    assert_eq!(other["scope"], "SMS");
    assert_eq!(made(&world), 2);
}

#[test]
fn s21_without_a_session_or_beside_the_list_there_is_none() {
    let mut world = world();
    let response = app_token(&mut world, &[]);
    assert_eq!(refusal(&response), (400, "invalid_grant".into()));
    world.sign_in();
    for scope in ["DC", "SMS DC", "PAYMENT", "sms", "\u{e9}", ","] {
        let response = app_token(&mut world, &[("scope", scope)]);
        assert_eq!(refusal(&response), (400, "invalid_scope".into()), "{scope}");
    }
    let own = world.headers.clone();
    world.headers = with(&own, "origin", Some("https://evil.example"));
    let response = app_token(&mut world, &[]);
    assert_eq!(refusal(&response), (403, "access_denied".into()));
    world.headers = own;
    world.revoke();
    let response = app_token(&mut world, &[]);
    assert_eq!(refusal(&response), (400, "invalid_grant".into()));
    assert_eq!(made(&world), 0);
}

#[test]
fn the_metadata_says_whether_they_are_on() {
    for (mut world, is_on) in [(world(), true), (world_with(json!({}), json!({})), false)] {
        let url = "https://app.example/.well-known/oauth-authorization-server/oauth";
        let metadata = read(&world.send(Request::get(url)));
        let grants = metadata["grant_types_supported"].as_array().unwrap();
        assert_eq!(grants.contains(&json!("client_credentials")), is_on);
    }
}

#[test]
fn s21_no_users_revoke_ends_it() {
    let mut world = world();
    world.sign_in();
    let one = read(&app_token(&mut world, &[]));
    world.revoke();
    world.jar.clear();
    world.sign_in();
    let two = read(&app_token(&mut world, &[]));
    assert_eq!(two["access_token"], one["access_token"]);
    assert_eq!(made(&world), 1);
}

#[test]
fn s21_a_report_that_it_is_dead_renews_the_current_one_once_in_sixty_seconds() {
    let mut world = world();
    world.sign_in();
    let report = [("rejected_generation", "1")];
    let one = read(&app_token(&mut world, &[]));
    // Too soon to be believed.
    let same = read(&app_token(&mut world, &report));
    assert_eq!(same["access_token"], one["access_token"]);
    world.pass(60_000.0);
    let two = read(&app_token(&mut world, &report));
    assert_eq!(two["generation"], 2);
    world.pass(60_000.0);
    // Of one that isn't the current.
    let same = read(&app_token(&mut world, &report));
    assert_eq!(same["access_token"], two["access_token"]);
    for _ in 0..10 {
        read(&app_token(&mut world, &[("rejected_generation", "2")]));
        read(&app_token(&mut world, &[("rejected_generation", "3")]));
    }
    assert_eq!(made(&world), 3);
}

#[test]
fn an_app_token_is_renewed_at_its_end_and_forgotten_when_nobody_asks() {
    let mut world = world();
    world.sign_in();
    read(&app_token(&mut world, &[]));
    world.pass((172_800.0 - 20.0) * 1000.0);
    assert_eq!(read(&app_token(&mut world, &[]))["generation"], 2);
    assert_eq!(made(&world), 2);
    assert_eq!(world.records.len(), 2);
    world.pass(DAY * 3.0);
    assert_eq!(world.records.len(), 1);
    assert_eq!(read(&app_token(&mut world, &[]))["generation"], 1);
}

#[test]
fn s28_a_gateway_out_of_order_is_asked_again_after_a_pause() {
    let mut world = world();
    world.sign_in();
    for kind in ["unavailable", "cut", "html"] {
        world.fault(json!({ "endpoint": "token", "kind": kind }));
        let response = app_token(&mut world, &[]);
        assert_eq!(refusal(&response).0, 503, "{kind}");
        assert!(response.headers.get("retry-after").is_some());
        let calls = world.gateway_calls();
        assert_eq!(refusal(&app_token(&mut world, &[])).0, 503, "{kind}");
        assert_eq!(world.gateway_calls(), calls);
        world.pass(60_000.0);
    }
    assert_eq!(read(&app_token(&mut world, &[]))["generation"], 1);
}

#[test]
fn a_path_that_needs_an_app_token_goes_out_with_it() {
    let mut world = world();
    let refused = world.api("POST", OUTBOX);
    assert_eq!(refusal(&refused), (401, "invalid_grant".into()));
    assert_eq!(made(&world), 0);
    world.sign_in();
    let response = world.api("POST", OUTBOX);
    assert_eq!(response.headers.get("att-oauth-generation"), Some("0"));
    let sent = &world.gateway.log().last().unwrap().request;
    let bearer = sent.headers.get("authorization").unwrap().to_owned();
    let token = read(&app_token(&mut world, &[("scope", "SMS")]));
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(bearer, format!("Bearer {token}"));
    assert_eq!(world.api("GET", "/rest/2/Devices/Info").status, 200);
    assert_eq!(made(&world), 1);
}

#[test]
fn s21_an_app_token_that_an_api_refuses_is_renewed_for_the_next_call() {
    let mut world = world();
    world.sign_in();
    world.api("POST", OUTBOX);
    world.pass(61_000.0);
    world.gateway.expire_access_tokens();
    let response = world.api("POST", OUTBOX);
    // The page must not take it for the end of the user's own token.
    assert_eq!(refusal(&response), (503, "temporarily_unavailable".into()));
    assert_eq!(response.headers.get("retry-after"), Some("1"));
    assert_eq!(made(&world), 2);
    assert_ne!(world.api("POST", OUTBOX).status, 503);
    assert_eq!(made(&world), 2);
    assert_eq!(world.gateway.counts().token.refresh_token, 0);
}

#[test]
fn s21_in_custody_handle_the_handle_shows_the_session() {
    let mut world = world_of(json!({ "custody": "handle" }));
    world.headers = Headers::new();
    let tokens = world.sign_in();
    let handle = tokens["refresh_token"].as_str().unwrap();
    read(&app_token(&mut world, &[("refresh_token", handle)]));
    for fields in [&[("refresh_token", "x")][..], &[]] {
        let response = app_token(&mut world, fields);
        assert_eq!(refusal(&response), (400, "invalid_grant".into()));
    }
    // It was only shown, not used up.
    read(&world.refresh(&[("refresh_token", handle)]));
}

#[test]
fn s01_s03_neither_secret_nor_refresh_token_comes_out_or_is_kept() {
    let mut world = world();
    world.sign_in();
    read(&app_token(&mut world, &[]));
    let reply = format!("{:?}", world.gateway.log().last().unwrap().unmasked());
    let token = reply.split("refresh_token\\\":\\\"").nth(1).unwrap();
    let token = token.split('\\').next().unwrap();
    assert!(token.len() > 20);
    assert!(!world.outward.contains(token) && !world.outward.contains(SECRET));
    assert!(world.records.values().all(|kept| !kept.contains(token)));
}
