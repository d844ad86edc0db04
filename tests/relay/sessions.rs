//! How sessions live through failures, races and time.

use att_oauth::protocol::Secret;
use att_oauth::protocol::http::Response;
use att_oauth::relay::vault::{self, Answer, Command, Flight, Next};
use serde_json::{Value, json};

use crate::world::*;

#[test]
fn a_fresh_token_is_handed_over_without_a_call() {
    let mut world = world();
    let first = world.sign_in();
    world.pass(3_600_000.0);
    let again = read(&world.refresh(&[]));
    assert_eq!(again["access_token"], first["access_token"]);
    assert_eq!(again["expires_in"], 172_800 - 3600);
    assert_eq!(again["generation"], 1);
    assert_eq!(world.gateway.counts().token.refresh_token, 0);
}

#[test]
fn a_token_is_renewed_when_it_lasts_no_longer_than_asked() {
    let mut world = world();
    world.sign_in();
    world.pass((172_800.0 - 31.0) * 1000.0);
    assert_eq!(read(&world.refresh(&[]))["generation"], 1);
    assert_eq!(
        read(&world.refresh(&[("min_validity", "31")]))["generation"],
        2
    );
    assert_eq!(
        read(&world.refresh(&[("min_validity", "31")]))["generation"],
        2
    );
}

#[test]
fn a_life_shorter_than_min_validity_does_not_make_each_call_a_renewal() {
    let mut world = world_with(json!({}), json!({ "accessTokenTtl": 20 }));
    world.sign_in();
    for _ in 0..10 {
        assert_eq!(read(&world.refresh(&[]))["generation"], 1);
    }
    world.pass(10_000.0);
    assert_eq!(read(&world.refresh(&[]))["generation"], 2);
}

#[test]
fn a_token_that_never_expires_is_renewed_when_it_is_rejected() {
    let mut world = world_with(json!({}), json!({ "accessTokenTtl": 0 }));
    assert_eq!(world.sign_in()["expires_in"], 0);
    world.pass(DAY);
    assert_eq!(read(&world.refresh(&[]))["generation"], 1);
    assert_eq!(
        read(&world.refresh(&[("rejected_generation", "1")]))["generation"],
        2
    );
}

#[test]
fn s31_replies_that_cross_never_touch_another_sessions_cookie() {
    let mut world = world();
    let first = world.sign_in();
    let with_first = world.jar.clone();
    let second = world.sign_in();
    let with_second = world.jar.clone();
    assert_ne!(first["session"], second["session"]);
    assert!(
        with_first
            .keys()
            .all(|name| name.contains("-tx-") || !with_second.contains_key(name))
    );
    // A request that set out before the second sign-in, whose reply comes after it.
    world.jar = with_first;
    let refused = world.refresh(&[]);
    assert_eq!(refusal(&refused), (400, "invalid_grant".into()));
    world.jar = with_second;
    world.take(&refused);
    assert_eq!(read(&world.refresh(&[]))["session"], second["session"]);
}

#[test]
fn s31_two_sign_ins_that_crossed_are_told_apart_by_their_label_until_the_next_one_ends_both() {
    let mut world = world();
    let first = world.sign_in();
    let with_first = std::mem::take(&mut world.jar);
    let second = world.sign_in();
    world.jar.extend(with_first);
    let own = world.headers.clone();
    for reply in [&first, &second] {
        world.headers = with(&own, "att-oauth-session", reply["session"].as_str());
        assert_eq!(read(&world.refresh(&[]))["session"], reply["session"]);
    }
    world.headers = with(&own, "att-oauth-session", Some("AAAAAAAAAAAA"));
    assert_eq!(
        refusal(&world.refresh(&[])),
        (409, "session_mismatch".into())
    );
    world.headers = own;
    world.sign_in();
    assert_eq!(
        world
            .jar
            .keys()
            .filter(|name| !name.contains("-tx-"))
            .count(),
        1
    );
    assert_eq!(world.gateway.live(world.now).refresh_tokens, 1);
}

#[test]
fn s32_a_cookie_is_set_again_once_a_day_so_that_it_slides_with_its_session() {
    let mut world = world();
    world.sign_in();
    let mut set = 0;
    for _ in 0..20 {
        world.pass(DAY * 9.0);
        let renewed = world.refresh(&[]);
        assert_eq!(renewed.status, 200);
        set += usize::from(renewed.headers.get("set-cookie").is_some());
        assert_eq!(world.refresh(&[]).headers.get("set-cookie"), None);
    }
    assert_eq!(set, 20);
}

#[test]
fn a_renewal_whose_reply_is_lost_ends_in_one_sign_in_and_no_loop() {
    let mut world = world();
    world.sign_in();
    world.pass(DAY * 3.0);
    world.fault(json!({ "endpoint": "token", "kind": "cut", "processed": true }));
    assert_eq!(refusal(&world.refresh(&[])).0, 503);
    world.pass(60_000.0);
    assert_eq!(refusal(&world.refresh(&[])), (400, "invalid_grant".into()));
    for _ in 0..5 {
        world.refresh(&[]);
    }
    assert_eq!(world.gateway.counts().token.refresh_token, 2);
}

#[test]
fn s29_all_who_ask_at_expiry_wait_for_one_renewal() {
    let mut world = world();
    world.sign_in();
    world.pass(DAY * 3.0);
    let name = world.records.keys().next().unwrap().clone();
    let command = Command::Token {
        min_validity: 30,
        rejected: None,
        scope: None,
        handle: None,
    };
    let record = world.load(&name);
    let first = vault::step(
        &world.config,
        record.clone(),
        &command,
        Flight::default(),
        world.now,
    );
    let Next::Call(call) = first.next else {
        panic!("no call")
    };
    let busy = Flight {
        under_way: true,
        waited: false,
    };
    for _ in 0..50 {
        let next = vault::step(&world.config, record.clone(), &command, busy, world.now).next;
        assert!(matches!(next, Next::Wait { .. }));
    }
    // Who has waited long enough is told so, and starts no second call.
    let late = Flight {
        under_way: true,
        waited: true,
    };
    let next = vault::step(&world.config, record.clone(), &command, late, world.now).next;
    assert!(matches!(
        next,
        Next::Answer(Answer::Unavailable {
            status: 503,
            retry_after: Some(1),
            ..
        })
    ));
    let outcome = world.call(&call.request);
    let called = vault::called(
        &world.config,
        record,
        &call.ticket,
        outcome.as_ref().map_err(|f| *f),
        world.now,
        &[1; 32],
    );
    let waited = Flight {
        under_way: false,
        waited: true,
    };
    let next = world.next(Some(called.record), &command, waited);
    let Next::Answer(Answer::Grant(grant)) = next else {
        panic!("{next:?}")
    };
    assert_eq!(grant.generation, 2);
}

#[test]
fn a_gateway_that_gives_no_new_refresh_token_leaves_the_old_one() {
    let mut world = world();
    world.sign_in();
    world.pass(DAY * 3.0);
    let name = world.records.keys().next().unwrap().clone();
    let command = Command::Token {
        min_validity: 30,
        rejected: None,
        scope: None,
        handle: None,
    };
    let record = world.load(&name);
    let Next::Call(call) = world.next(record.clone(), &command, Flight::default()) else {
        panic!("no call");
    };
    let reply = Response::new(200).body(
        "application/json",
        r#"{"access_token":"new","token_type":"bearer","expires_in":"60"}"#,
    );
    let called = vault::called(
        &world.config,
        record,
        &call.ticket,
        Ok(&reply),
        world.now,
        &[1; 32],
    );
    let next = vault::step(
        &world.config,
        Some(called.record),
        &command,
        Flight::default(),
        world.now + 61_000.0,
    )
    .next;
    let Next::Call(again) = next else {
        panic!("{next:?}")
    };
    assert_eq!(again.request.body, call.request.body);
}

#[test]
fn s30_revoking_ends_the_session_here_and_at_the_gateway() {
    let mut world = world();
    world.sign_in();
    let response = world.revoke();
    assert_eq!((response.status, response.body.len()), (200, 0));
    assert_eq!(world.gateway.live(world.now).refresh_tokens, 0);
    assert_eq!(world.gateway.live(world.now).access_tokens, 0);
    assert!(world.jar.keys().all(|name| name.contains("-tx-")));
    assert_eq!(refusal(&world.refresh(&[])), (400, "invalid_grant".into()));
    assert_eq!(world.revoke().status, 200);
    assert_eq!(world.gateway.counts().revoke, 1);
}

#[test]
fn s30_what_a_gateway_out_of_order_is_owed_it_gets_later() {
    let mut world = world();
    world.sign_in();
    let stolen = world.jar.clone();
    world.fault(
        json!({ "endpoint": "revoke", "kind": "unavailable", "processed": false, "times": 3 }),
    );
    assert_eq!(world.revoke().status, 200);
    assert_eq!(world.gateway.live(world.now).refresh_tokens, 1);
    // The session is over all the same.
    world.jar = stolen;
    assert_eq!(refusal(&world.refresh(&[])), (400, "invalid_grant".into()));
    world.pass(3_600_000.0);
    assert_eq!(world.gateway.live(world.now).refresh_tokens, 0);
    assert_eq!(world.gateway.counts().revoke, 4);
    // And then it is forgotten.
    assert!(world.records.is_empty());
}

#[test]
fn s30_a_token_that_arrives_after_the_sign_out_is_given_back() {
    let mut world = world();
    world.sign_in();
    world.pass(DAY * 3.0);
    let name = world.records.keys().next().unwrap().clone();
    let command = Command::Token {
        min_validity: 30,
        rejected: None,
        scope: None,
        handle: None,
    };
    let Next::Call(call) = world.next(world.load(&name), &command, Flight::default()) else {
        panic!("no call");
    };
    let outcome = world.call(&call.request);
    let busy = Flight {
        under_way: true,
        waited: true,
    };
    let ended = vault::step(
        &world.config,
        world.load(&name),
        &Command::End,
        busy,
        world.now,
    );
    assert!(ended.changed);
    let called = vault::called(
        &world.config,
        ended.record,
        &call.ticket,
        outcome.as_ref().map_err(|f| *f),
        world.now,
        &[1; 32],
    );
    world.store(&name, Some(called.record), Some(called.alarm));
    assert_eq!(world.gateway.live(world.now).refresh_tokens, 1);
    world.pass(1.0);
    assert_eq!(world.gateway.live(world.now).refresh_tokens, 0);
}

#[test]
fn s31_another_sign_in_is_told_apart_and_ends_the_one_before() {
    let mut world = world();
    let first = world.sign_in();
    let own = world.headers.clone();
    let label = first["session"].as_str().unwrap();
    let labelled = with(&own, "att-oauth-session", Some(label));
    world.headers = labelled.clone();
    read(&world.refresh(&[]));

    world.headers = own;
    let second = world.sign_in();
    assert_ne!(first["session"], second["session"]);
    assert_eq!(world.gateway.live(world.now).refresh_tokens, 1);
    world.headers = labelled;
    assert_eq!(
        refusal(&world.refresh(&[])),
        (409, "session_mismatch".into())
    );
    assert_eq!(refusal(&world.revoke()), (409, "session_mismatch".into()));
    assert_eq!(
        refusal(&world.api("GET", "/rest/2/Devices/Info")),
        (409, "session_mismatch".into())
    );
    // The other is untouched.
    world.headers = with(
        &world.headers,
        "att-oauth-session",
        second["session"].as_str(),
    );
    read(&world.refresh(&[]));
}

#[test]
fn s32_a_session_ends_when_idle_and_is_forgotten() {
    let mut world = world();
    world.sign_in();
    for _ in 0..10 {
        world.pass(DAY * 13.0);
        read(&world.refresh(&[]));
    }
    world.pass(DAY * 14.0);
    assert_eq!(refusal(&world.refresh(&[])), (400, "invalid_grant".into()));
    assert_eq!(world.gateway.live(world.now).refresh_tokens, 0);
    world.pass(600_000.0);
    assert!(world.records.is_empty());
}

#[test]
fn s32_a_session_ends_when_its_refresh_token_would() {
    let mut world = world_with(json!({ "idleDays": 90 }), json!({ "accessTokenTtl": 0 }));
    world.sign_in();
    for _ in 0..8 {
        world.pass(DAY * 10.0);
        read(&world.refresh(&[]));
    }
    world.pass(DAY * 10.0);
    assert_eq!(refusal(&world.refresh(&[])), (400, "invalid_grant".into()));
}

/// What an exchange comes to whose reply has these members beside the usual ones.
fn exchanged(members: Value) -> Answer {
    let world = world();
    let command = Command::Exchange {
        code: Secret::new("code"),
        scope: "DC MIM".into(),
    };
    let begun = vault::step(&world.config, None, &command, Flight::default(), world.now);
    let Next::Call(call) = begun.next else {
        panic!("no call");
    };
    let mut reply = json!({ "access_token": "a~1", "token_type": "bearer", "expires_in": 3600, "refresh_token": "r" });
    let members = members.as_object().unwrap().clone();
    reply.as_object_mut().unwrap().extend(members);
    let reply = Response::new(200).body("application/json", reply.to_string());
    let called = vault::called(
        &world.config,
        begun.record,
        &call.ticket,
        Ok(&reply),
        world.now,
        &[1; 32],
    );
    let waited = Flight {
        under_way: false,
        waited: true,
    };
    called.answer.unwrap_or_else(|| {
        let record = Some(called.record);
        match vault::step(&world.config, record, &command, waited, world.now).next {
            Next::Answer(answer) => answer,
            next => panic!("{next:?}"),
        }
    })
}

#[test]
fn s22_a_gateway_may_grant_less_than_was_asked_for_and_never_more() {
    for (said, granted) in [
        (json!({}), "DC MIM"),
        (json!({ "scope": "MIM" }), "MIM"),
        (json!({ "scope": "IMMN,MIM SMS DC" }), "DC MIM"),
        (json!({ "scope": "SMS" }), "DC MIM"),
    ] {
        let Answer::Grant(grant) = exchanged(said.clone()) else {
            panic!("{said}");
        };
        assert_eq!(grant.scope, granted, "{said}");
    }
}

#[test]
fn s23_a_token_that_no_header_can_hold_is_no_answer() {
    for (member, token) in [
        ("access_token", "a\r\nb"),
        ("access_token", "a b"),
        ("access_token", "a\u{7f}"),
        ("access_token", "ä"),
        ("refresh_token", "a\r\nb"),
        ("refresh_token", "a\u{7f}"),
        ("refresh_token", "ä"),
    ] {
        let answer = exchanged(json!({ member: token }));
        let Answer::Gone { reason } = answer else {
            panic!("{member} {token:?}: {answer:?}");
        };
        assert_eq!(reason, "unreadable_token");
    }
}
