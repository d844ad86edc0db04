//! What failures cost: no session while it can be saved, and no code twice.

use att_oauth::protocol::http::Response;
use att_oauth::relay::vault::{self, Answer, Command, Failure, Flight, Next};
use serde_json::json;

use crate::world::*;

#[test]
fn s25_a_code_goes_to_the_gateway_once_whatever_becomes_of_it() {
    for kind in [
        "cut",
        "timeout",
        "server_error",
        "html",
        "huge",
        "redirect",
        "rate_limit",
    ] {
        let mut world = world();
        let (code, verifier) = world.code();
        world.fault(json!({ "endpoint": "token", "kind": kind }));
        let response = world.exchange(&code, &verifier);
        // The code is spent: to try again would help nobody.
        assert_eq!(refusal(&response), (400, "invalid_grant".into()), "{kind}");
        // S24: the gateway's own words stay inside.
        assert!(!String::from_utf8_lossy(&response.body).contains('<'));
        assert_eq!(
            refusal(&world.exchange(&code, &verifier)),
            (400, "invalid_grant".into()),
            "{kind}"
        );
        assert_eq!(world.gateway.counts().token.authorization_code, 1, "{kind}");
    }
}

#[test]
fn s25_a_crash_while_a_code_is_under_way_leaves_it_spent() {
    let mut world = world();
    let (code, verifier) = world.code();
    let command = Command::Exchange {
        code: att_oauth::protocol::Secret::new("c"),
        scope: "DC".into(),
    };
    let started = vault::step(&world.config, None, &command, Flight::default(), world.now);
    assert!(started.changed && matches!(started.next, Next::Call(_)));
    let busy = Flight {
        under_way: true,
        waited: false,
    };
    let waiting = vault::step(
        &world.config,
        started.record.clone(),
        &command,
        busy,
        world.now,
    );
    assert!(matches!(waiting.next, Next::Wait { ms: 10_000 }));
    // The host comes back without the call.
    let after = vault::step(
        &world.config,
        started.record,
        &command,
        Flight::default(),
        world.now,
    );
    assert!(matches!(after.next, Next::Answer(Answer::Gone { .. })));
    // Whoever signs in anew is not concerned.
    read(&world.exchange(&code, &verifier));
}

#[test]
fn s28_passing_failures_keep_the_session_and_the_token() {
    for kind in [
        "cut",
        "timeout",
        "server_error",
        "unavailable",
        "rate_limit",
        "html",
        "huge",
        "redirect",
    ] {
        let mut world = world();
        let first = world.sign_in();
        world.pass((172_800.0 - 20.0) * 1000.0);
        // Nothing of these was processed.
        world.fault(json!({ "endpoint": "token", "kind": kind, "processed": false, "times": 2 }));
        let kept = read(&world.refresh(&[]));
        assert_eq!(kept["access_token"], first["access_token"], "{kind}");
        assert_eq!(kept["expires_in"], 20);
        // Backed off: no second call so soon.
        read(&world.refresh(&[]));
        assert_eq!(world.gateway.counts().token.refresh_token, 1, "{kind}");
        // With no life left there is nothing to hand over.
        world.pass(20_000.0);
        let response = world.refresh(&[]);
        assert_eq!(
            refusal(&response),
            (503, "temporarily_unavailable".into()),
            "{kind}"
        );
        assert!(response.headers.get("retry-after").is_some());
        world.pass(60_000.0);
        assert_eq!(read(&world.refresh(&[]))["generation"], 2, "{kind}");
    }
}

#[test]
fn s28_a_misconfigured_relay_keeps_its_sessions_and_tells_the_operator() {
    let mut world = world();
    world.sign_in();
    world.pass(DAY * 3.0);
    let command = Command::Token {
        min_validity: 30,
        rejected: None,
        scope: None,
        handle: None,
    };
    let name = world.records.keys().next().unwrap().clone();
    let stepped = vault::step(
        &world.config,
        world.load(&name),
        &command,
        Flight::default(),
        world.now,
    );
    let Next::Call(call) = stepped.next else {
        panic!("no call")
    };
    for (status, body, reason) in [
        (401, r#"{"error":"invalid_client"}"#, "invalid_client"),
        (
            400,
            r#"{"error":"unauthorized_client"}"#,
            "unauthorized_client",
        ),
        (403, "", "gateway_refuses"),
    ] {
        let reply = Response::new(status).body("application/json", body);
        let called = vault::called(
            &world.config,
            stepped.record.clone(),
            &call.ticket,
            Ok(&reply),
            world.now,
            &[1; 32],
        );
        assert_eq!(
            (called.log.outcome, called.log.reason.as_str()),
            ("failed", reason)
        );
        assert_eq!(called.log.gateway_status, Some(status));
        let next = vault::step(
            &world.config,
            Some(called.record),
            &command,
            Flight::default(),
            world.now + 120_000.0,
        )
        .next;
        assert!(matches!(next, Next::Call(_)), "{reason}");
    }
}

#[test]
fn s28_back_off_grows_has_a_bound_and_respects_retry_after() {
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
    let mut record = world.load(&name);
    let mut pauses = Vec::new();
    for seed in 0..20 {
        let Next::Call(call) = world.next(record.clone(), &command, Flight::default()) else {
            panic!("no call");
        };
        let called = vault::called(
            &world.config,
            record,
            &call.ticket,
            Err(Failure::Network),
            world.now,
            &[seed; 32],
        );
        let waited = Flight {
            under_way: false,
            waited: true,
        };
        let next = world.next(Some(called.record.clone()), &command, waited);
        let Next::Answer(Answer::Unavailable {
            retry_after: Some(seconds),
            ..
        }) = next
        else {
            panic!("{next:?}");
        };
        pauses.push(seconds);
        world.now += f64::from(seconds) * 1000.0;
        record = Some(called.record);
    }
    assert!(pauses[0] <= 1 && pauses[19] > 20, "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= 60), "{pauses:?}");

    let Next::Call(call) = world.next(record.clone(), &command, Flight::default()) else {
        panic!("no call");
    };
    // The world's clock as the date that names it.
    let date = |seconds: f64| {
        let since_1970 = std::time::Duration::from_secs_f64(world.now / 1000.0 + seconds);
        httpdate::fmt_http_date(std::time::SystemTime::UNIX_EPOCH + since_1970)
    };
    for (asked, pause) in [
        ("300", 300),
        ("7200", 7200),
        ("999999", 86_400),
        ("x", 60),
        (&date(600.0), 600),
        (&date(-600.0), 60),
    ] {
        let reply = Response::new(503).header("retry-after", asked);
        let called = vault::called(
            &world.config,
            record.clone(),
            &call.ticket,
            Ok(&reply),
            world.now,
            &[1; 32],
        );
        let next = world.next(Some(called.record), &command, Flight::default());
        let Next::Answer(Answer::Unavailable {
            retry_after: Some(seconds),
            ..
        }) = next
        else {
            panic!("{next:?}");
        };
        assert!(
            seconds <= pause && seconds >= pause / 3,
            "{asked}: {seconds}"
        );
    }
}

#[test]
fn s28_invalid_grant_ends_the_session() {
    let mut world = world();
    world.sign_in();
    world.gateway.end_sessions();
    world.pass(DAY * 3.0);
    assert_eq!(refusal(&world.refresh(&[])), (400, "invalid_grant".into()));
    let calls = world.gateway_calls();
    assert_eq!(refusal(&world.refresh(&[])), (400, "invalid_grant".into()));
    assert_eq!(world.gateway_calls(), calls);
}
