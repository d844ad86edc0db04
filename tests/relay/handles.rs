//! Custody `handle`: the client keeps a sealed handle, and nothing is a cookie's.

use att_oauth::protocol::http::{Headers, Request, Response};
use serde_json::{Value, json};

use crate::world::*;

const DEVICE: &str = "/rest/2/Devices/Info";

/// A client that knows nothing of us and runs outside of a browser.
fn world() -> World {
    let mut world = world_with(json!({ "custody": "handle" }), json!({}));
    world.headers = Headers::new();
    world
}

fn ours(world: &mut World) {
    world.headers = Headers::new()
        .with("origin", APP)
        .with("att-oauth-session", "-")
        .with("sec-fetch-site", "cross-site");
}

fn handle(reply: &Value) -> String {
    reply["refresh_token"].as_str().unwrap().into()
}

fn refresh(world: &mut World, handle: &str) -> Response {
    world.refresh(&[("refresh_token", handle)])
}

fn revoke(world: &mut World, fields: &[(&str, &str)]) -> Response {
    let mut all = vec![("client_id", "key")];
    all.extend(fields);
    world.post("/revoke", &all)
}

fn renewals(world: &World) -> u64 {
    world.gateway.counts().token.refresh_token
}

fn call_api(world: &mut World, bearer: &str) -> Response {
    let headers = world.headers.clone().with("authorization", bearer);
    world.send(Request {
        headers,
        ..Request::get(format!("{ISSUER}/api{DEVICE}"))
    })
}

#[test]
fn a_standard_client_signs_in_renews_and_revokes_without_a_cookie() {
    let mut world = world();
    let first = world.sign_in();
    world.jar.clear();
    world.pass(61_000.0);
    let second = read(&refresh(&mut world, &handle(&first)));
    assert_ne!(second["access_token"], first["access_token"]);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(second["generation"], 2);
    assert_eq!(second["session"], first["session"]);
    let gone = revoke(&mut world, &[("token", &handle(&second))]);
    assert_eq!((gone.status, gone.body.len()), (200, 0));
    assert_eq!(world.gateway.counts().revoke, 1);
    let late = refresh(&mut world, &handle(&second));
    assert_eq!(refusal(&late), (400, "invalid_grant".into()));
    assert!(world.jar.is_empty(), "no cookie holds a session");
}

#[test]
fn a_plain_refresh_renews_unless_the_token_is_young() {
    let mut world = world();
    let first = world.sign_in();
    world.pass(59_000.0);
    let kept = read(&refresh(&mut world, &handle(&first)));
    assert_eq!(kept["access_token"], first["access_token"]);
    world.pass(1_000.0);
    assert_eq!(read(&refresh(&mut world, &handle(&kept)))["generation"], 2);
    // Ours says what it wants by its header, or by a number.
    world.pass(61_000.0);
    let next = read(&world.refresh(&[("refresh_token", &handle(&kept)), ("min_validity", "30")]));
    assert_eq!(next["generation"], 2);
    ours(&mut world);
    assert_eq!(read(&refresh(&mut world, &handle(&next)))["generation"], 2);
    let fields = [
        ("refresh_token", &*handle(&next)),
        ("rejected_generation", "2"),
    ];
    assert_eq!(read(&world.refresh(&fields))["generation"], 3);
    assert_eq!(renewals(&world), 2);
}

#[test]
fn s20_the_handle_before_gets_the_stored_answer_until_the_next_is_used_and_ten_seconds_more() {
    let mut world = world();
    let first = world.sign_in();
    world.pass(61_000.0);
    let second = read(&refresh(&mut world, &handle(&first)));
    // The reply was lost, for whatever time.
    world.pass(3_600_000.0);
    for _ in 0..3 {
        let again = read(&refresh(&mut world, &handle(&first)));
        assert_eq!(again["access_token"], second["access_token"]);
        assert_eq!(again["generation"], 2);
    }
    read(&world.refresh(&[("refresh_token", &handle(&second)), ("min_validity", "30")]));
    world.pass(9_999.0);
    let again = read(&refresh(&mut world, &handle(&first)));
    assert_eq!(again["access_token"], second["access_token"]);
    assert_eq!(renewals(&world), 1);
    world.pass(1.0);
    let stolen = refresh(&mut world, &handle(&first));
    assert_eq!(refusal(&stolen), (400, "invalid_grant".into()));
    // Whoever holds the good one is out too, here and at the gateway.
    let other = refresh(&mut world, &handle(&second));
    assert_eq!(refusal(&other), (400, "invalid_grant".into()));
    world.pass(1.0);
    assert_eq!(world.gateway.counts().revoke, 1);
    assert_eq!(world.gateway.live(world.now).refresh_tokens, 0);
}

#[test]
fn s20_a_handle_two_generations_old_ends_the_session() {
    let mut world = world();
    let first = world.sign_in();
    world.pass(61_000.0);
    let second = read(&refresh(&mut world, &handle(&first)));
    world.pass(61_000.0);
    let third = read(&refresh(&mut world, &handle(&second)));
    let stolen = refresh(&mut world, &handle(&first));
    assert_eq!(refusal(&stolen), (400, "invalid_grant".into()));
    assert_eq!(world.last_reason(), "handle_reused");
    let other = refresh(&mut world, &handle(&third));
    assert_eq!(refusal(&other), (400, "invalid_grant".into()));
}

#[test]
fn s29_replies_that_are_lost_one_after_the_other_cost_no_session() {
    let mut world = world();
    let first = world.sign_in();
    // Each time the token is renewed, and the client never hears of it.
    for lost in 1..=5 {
        world.pass(DAY * 3.0);
        read(&refresh(&mut world, &handle(&first)));
        assert_eq!(renewals(&world), lost);
    }
    let heard = read(&refresh(&mut world, &handle(&first)));
    world.pass(DAY * 3.0);
    assert_eq!(read(&refresh(&mut world, &handle(&heard)))["generation"], 7);
}

#[test]
fn s29_renewals_by_api_calls_leave_the_handle_as_it_is() {
    let mut world = world();
    let first = world.sign_in();
    let bearer = format!("Bearer {}", first["api_handle"].as_str().unwrap());
    for _ in 0..3 {
        world.pass(DAY * 3.0);
        assert_eq!(call_api(&mut world, &bearer).status, 200);
    }
    assert_eq!(renewals(&world), 3);
    assert_eq!(read(&refresh(&mut world, &handle(&first)))["generation"], 4);
}

#[test]
fn s28_a_gateway_out_of_order_leaves_handle_and_session() {
    let mut world = world();
    let first = world.sign_in();
    world.pass(61_000.0);
    world.fault(json!({ "endpoint": "token", "kind": "unavailable" }));
    let kept = read(&refresh(&mut world, &handle(&first)));
    assert_eq!(kept["access_token"], first["access_token"]);
    world.pass(61_000.0);
    assert_eq!(read(&refresh(&mut world, &handle(&first)))["generation"], 2);
}

#[test]
fn s38_the_api_takes_the_api_handle_and_nothing_else() {
    let mut world = world();
    let tokens = world.sign_in();
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let response = call_api(&mut world, &format!("bearer {}", text("api_handle")));
    assert_eq!(response.status, 200);
    assert_eq!(response.headers.get("att-oauth-generation"), Some("1"));
    let sent = &world.gateway.log().last().unwrap().request;
    let token = format!("Bearer {}", text("access_token"));
    assert_eq!(sent.headers.get("authorization"), Some(token.as_str()));
    let calls = world.gateway_calls();
    for bearer in [
        String::new(),
        text("api_handle"),
        format!("Basic {}", text("api_handle")),
        format!("Bearer {}", text("access_token")),
        format!("Bearer {}", text("refresh_token")),
    ] {
        let response = call_api(&mut world, &bearer);
        assert_eq!(
            refusal(&response),
            (401, "invalid_grant".into()),
            "{bearer}"
        );
    }
    // And it opens nothing else.
    for path in ["refresh", "revoke"] {
        let response = match path {
            "refresh" => refresh(&mut world, &text("api_handle")),
            _ => revoke(&mut world, &[("token", &text("api_handle"))]),
        };
        assert!(response.status == if path == "refresh" { 400 } else { 200 });
    }
    assert_eq!(world.gateway_calls(), calls);
    revoke(&mut world, &[("token", &text("refresh_token"))]);
    let ended = call_api(&mut world, &format!("Bearer {}", text("api_handle")));
    assert_eq!(refusal(&ended), (401, "invalid_grant".into()));
}

#[test]
fn s17_origin_may_be_absent_and_must_match_if_it_is_there() {
    let mut world = world();
    let tokens = world.sign_in();
    let calls = world.gateway_calls();
    for origin in [
        "null",
        "",
        "http://app.example",
        "https://app.example.evil.example",
    ] {
        world.headers = Headers::new().with("origin", origin);
        for response in [
            refresh(&mut world, &handle(&tokens)),
            revoke(&mut world, &[("token", &handle(&tokens))]),
            call_api(&mut world, "Bearer x"),
        ] {
            assert_eq!(
                refusal(&response),
                (403, "access_denied".into()),
                "{origin}"
            );
        }
    }
    assert_eq!(world.gateway_calls(), calls);
    ours(&mut world);
    let response = refresh(&mut world, &handle(&tokens));
    assert_eq!(read(&response)["generation"], 1);
    assert_eq!(
        response.headers.get("access-control-allow-origin"),
        Some(APP)
    );
    let preflight = world.send(Request {
        method: "OPTIONS".into(),
        headers: Headers::new()
            .with("origin", APP)
            .with("access-control-request-headers", "authorization"),
        ..Request::get(format!("{ISSUER}/api{DEVICE}"))
    });
    let allowed = preflight.headers.get("access-control-allow-headers");
    assert!(allowed.unwrap().contains("authorization"), "{allowed:?}");
}

#[test]
fn s19_what_is_no_handle_of_ours_is_invalid_grant_and_at_revoke_200() {
    let mut world = world();
    let tokens = world.sign_in();
    let good = handle(&tokens);
    let calls = world.gateway_calls();
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    for bad in [&good[..good.len() - 1], &good[1..], "s1.", "x", &access] {
        let response = refresh(&mut world, bad);
        assert_eq!(refusal(&response), (400, "invalid_grant".into()), "{bad}");
        assert_eq!(revoke(&mut world, &[("token", bad)]).status, 200, "{bad}");
    }
    assert_eq!(refusal(&world.refresh(&[])), (400, "invalid_grant".into()));
    assert_eq!(
        refusal(&revoke(&mut world, &[])),
        (400, "invalid_request".into())
    );
    assert_eq!(world.gateway_calls(), calls);
    read(&refresh(&mut world, &good));
    // Of another relay's session, whose vault isn't here.
    world.records.clear();
    let response = refresh(&mut world, &good);
    assert_eq!(refusal(&response), (400, "invalid_grant".into()));
}

#[test]
fn s20_an_access_token_is_not_revoked_and_a_wrong_hint_hinders_nobody() {
    let mut world = world();
    let tokens = world.sign_in();
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    let hint = ("token_type_hint", "access_token");
    let response = revoke(&mut world, &[("token", &access), hint]);
    assert_eq!(refusal(&response), (400, "unsupported_token_type".into()));
    assert_eq!(world.gateway.counts().revoke, 0);
    let token = ("token", &*handle(&tokens));
    assert_eq!(revoke(&mut world, &[token, hint]).status, 200);
    assert_eq!(world.gateway.counts().revoke, 1);
}

#[test]
fn s31_a_handle_of_another_session_than_expected_is_told() {
    let mut world = world();
    let one = world.sign_in();
    let two = world.sign_in();
    world.headers = Headers::new().with("att-oauth-session", one["session"].as_str().unwrap());
    for response in [
        refresh(&mut world, &handle(&two)),
        revoke(&mut world, &[("token", &handle(&two))]),
    ] {
        assert_eq!(refusal(&response), (409, "session_mismatch".into()));
    }
    read(&refresh(&mut world, &handle(&one)));
}

#[test]
fn s22_a_narrower_or_wider_scope_is_refused_and_costs_no_handle() {
    let mut world = world();
    let tokens = world.sign_in();
    for scope in ["DC", "DC MIM TL"] {
        let response = world.refresh(&[("refresh_token", &handle(&tokens)), ("scope", scope)]);
        assert_eq!(refusal(&response), (400, "invalid_scope".into()), "{scope}");
    }
    read(&refresh(&mut world, &handle(&tokens)));
}

#[test]
fn s16_a_code_delivered_twice_gives_two_handles_of_one_generation() {
    let mut world = world();
    let (code, verifier) = world.code();
    let one = read(&world.exchange(&code, &verifier));
    let two = read(&world.exchange(&code, &verifier));
    assert_eq!(one["access_token"], two["access_token"]);
    for tokens in [one, two] {
        read(&refresh(&mut world, &handle(&tokens)));
    }
    let third = world.exchange(&code, &verifier);
    assert_eq!(refusal(&third), (400, "invalid_grant".into()));
}

#[test]
fn s03_the_gateways_refresh_token_is_not_what_goes_out() {
    let mut world = world();
    let tokens = world.sign_in();
    for exchange in world.gateway.log() {
        let shown = format!("{:?}", exchange.unmasked());
        for rest in shown.split("refresh_token\\\":\\\"").skip(1) {
            assert!(!world.outward.contains(rest.split('\\').next().unwrap()));
        }
    }
    assert!(handle(&tokens).starts_with("s1."));
}
