//! Faults that the options ask for.

use att_oauth::gateway::{Break, Endpoint, FaultKind, FaultRule};
use serde_json::{Value, json};

use crate::world::{host, host_with, oauth_error, read, request_error, string, token_request};

#[test]
fn a_fault_is_met_as_often_as_it_says() {
    let mut host = host();
    let rule = FaultRule::once(Endpoint::Token, FaultKind::ServerError).times(2);
    host.gateway.fault(rule);
    assert_eq!(
        oauth_error(&host.app_token("SMS")),
        (500, "server_error".into())
    );
    assert_eq!(host.revoke("x", "access_token").status, 200);
    assert_eq!(host.app_token("SMS").status, 500);
    assert_eq!(host.app_token("SMS").status, 200);
    assert_eq!(host.gateway.counts().token.client_credentials, 3);
}

#[test]
fn a_fault_before_the_request_changes_nothing_and_one_after_it_loses_the_session() {
    for (processed, status) in [(false, 200), (true, 400)] {
        let mut host = host();
        let refresh = string(&host.pair("DC"), "refresh_token");
        let rule = FaultRule::once(Endpoint::Token, FaultKind::Cut);
        host.gateway
            .fault(if processed { rule.processed() } else { rule });
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &*refresh),
        ];
        assert_eq!(host.try_send(token_request(&fields)), None);
        assert_eq!(host.refresh(&refresh).status, status);
    }
}

#[test]
fn each_kind_of_fault_looks_like_itself() {
    for (kind, status, fault) in [
        ("server_error", 500, None),
        ("unavailable", 503, None),
        ("rate_limit", 403, None),
        ("consent_missing", 403, None),
        ("html", 200, None),
        ("redirect", 307, None),
        ("slow", 200, None),
        ("timeout", 500, Some(Break::Timeout)),
        ("cut", 500, Some(Break::Cut)),
        ("cut_body", 500, Some(Break::CutBody)),
    ] {
        let mut host = host_with(json!({ "faults": [{ "kind": kind, "endpoint": "token" }] }));
        let request = token_request(&[("grant_type", "client_credentials"), ("scope", "SMS")]);
        let reply = host.gateway.handle(&request, 0.0, [1; 32]);
        assert_eq!(
            (reply.response.status, reply.fault),
            (status, fault),
            "{kind}"
        );
    }
}

#[test]
fn throttling_is_403_with_its_text_and_missing_consent_is_pol0002() {
    let rules = json!([{ "kind": "rate_limit", "endpoint": "api" }, { "kind": "consent_missing", "endpoint": "api" }]);
    let mut host = host_with(json!({ "faults": rules }));
    let (status, id, words) = request_error(&host.device("x"));
    assert_eq!(
        (status, &*id, &*words),
        (403, "POL0001", "Rate Limit Exceeded")
    );
    let (status, id, _) = request_error(&host.device("x"));
    assert_eq!((status, &*id), (403, "POL0002"));
}

#[test]
fn a_huge_reply_is_the_true_one_with_more_than_64_kib_of_spaces() {
    let rule = FaultRule::once(Endpoint::Token, FaultKind::Huge).processed();
    let mut host = host();
    host.gateway.fault(rule);
    let reply = host.app_token("SMS");
    assert!(reply.body.len() > 65_536 && read(&reply)["access_token"].is_string());
}

#[test]
fn a_fault_can_be_for_one_grant_or_path_alone_or_for_ever() {
    let rules = json!([
        { "kind": "unavailable", "grantType": "refresh_token" },
        { "kind": "unavailable", "path": "/rest/2/Devices/Info", "times": "always" },
    ]);
    let mut host = host_with(json!({ "faults": rules }));
    let pair = host.pair("DC");
    assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 503);
    assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 200);
    for _ in 0..3 {
        assert_eq!(host.device("x").status, 503);
    }
    host.gateway.clear_faults();
    assert_eq!(host.device("x").status, 401);
}

#[test]
fn a_fault_can_be_left_to_chance_and_those_that_it_spares_meet_the_next() {
    let rules = json!([
        { "kind": "unavailable", "share": 0.25, "times": "always" },
        { "kind": "server_error", "share": 0.5, "times": 10 },
    ]);
    let mut host = host_with(json!({ "faults": rules }));
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..200 {
        *seen.entry(host.app_token("SMS").status).or_insert(0) += 1;
    }
    // The tests' seeds are always the same, so these are too.
    assert!((35..=65).contains(&seen[&503]), "{seen:?}");
    assert_eq!(seen[&500], 10, "only those that meet it count");
    assert_eq!(seen[&200] + seen[&503] + seen[&500], 200);
    for share in [json!(0), json!(1.1), json!(-0.5), json!("10%")] {
        let rule = json!({ "kind": "cut", "share": share }).to_string();
        let error = FaultRule::from_json(&rule).err().unwrap();
        assert_eq!(
            error.problems,
            ["fault.share: must be a number above 0, and 1 at most"]
        );
    }
}

#[test]
fn replies_are_as_late_as_the_options_say() {
    let delay = |options: Value| {
        let mut host = host_with(options);
        host.gateway
            .handle(&token_request(&[]), 0.0, [1; 32])
            .delay_ms
    };
    assert_eq!(delay(json!({})), 0);
    assert_eq!(delay(json!({ "latencyMs": 20 })), 20);
    assert_eq!(delay(json!({ "latencyMs": { "api": 20 } })), 0);
    let slow = json!([{ "kind": "slow", "delayMs": 300 }]);
    assert_eq!(
        delay(json!({ "latencyMs": { "token": 20 }, "faults": slow })),
        320
    );
}
