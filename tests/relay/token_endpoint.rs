//! `/token` and `/revoke`: who may ask, and for what.

use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{FORM, Request};
use serde_json::json;

use crate::world::*;

#[test]
fn s01_s03_no_secret_leaves_the_relay() {
    let mut world = world();
    world.sign_in();
    world.pass(DAY * 3.0);
    read(&world.refresh(&[]));
    world.api("GET", "/rest/2/Devices/Info");
    world.fault(json!({ "endpoint": "token", "kind": "html" }));
    world.refresh(&[("rejected_generation", "2")]);
    world.refresh(&[("grant_type", "x")]);
    world.exchange("bad", "bad");
    world.begin();
    world.callback(&format!("{ISSUER}/callback?code=x"));
    world.revoke();
    let refresh_tokens: Vec<String> = world
        .gateway
        .log()
        .filter_map(|exchange| {
            serde_json::from_slice::<serde_json::Value>(&exchange.response.as_ref()?.body).ok()
        })
        .filter_map(|body| body["refresh_token"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(refresh_tokens.len(), 2);
    for canary in refresh_tokens.iter().map(String::as_str).chain([SECRET]) {
        assert!(!world.outward.contains(canary));
    }
    // What was sought is found where it belongs.
    assert!(world.records.is_empty() || !world.records.values().any(|r| r.contains(SECRET)));
    let token_call = world
        .gateway
        .log()
        .find(|e| e.request.path().ends_with("/token"))
        .unwrap();
    assert!(String::from_utf8_lossy(&token_call.request.body).contains(SECRET));
    // S04: in the body, never in a URL; and no verifier.
    for exchange in world.gateway.log() {
        assert!(!exchange.request.url.contains(SECRET));
        assert!(!String::from_utf8_lossy(&exchange.request.body).contains("code_verifier"));
    }
}

#[test]
fn s06_every_reply_is_uncached_and_varies() {
    let mut world = world();
    let good = world.refresh(&[]);
    let bad = world.post("/token", &[]);
    let nothing = world.post("/nothing", &[]);
    for response in [good, bad, nothing] {
        assert_eq!(response.headers.get("cache-control"), Some("no-store"));
        assert_eq!(response.headers.get("referrer-policy"), Some("no-referrer"));
        assert_eq!(
            response.headers.get("x-content-type-options"),
            Some("nosniff")
        );
        assert_eq!(response.headers.get("vary"), Some("Origin, Cookie"));
    }
}

#[test]
fn s07_a_code_that_is_not_ours_or_without_its_verifier_reaches_no_gateway() {
    let mut world = world();
    let (code, verifier) = world.code();
    let calls = world.gateway_calls();
    let other = "v".repeat(43);
    for (code, verifier) in [
        ("made-up", verifier.as_str()),
        ("s1.AAAA", &verifier),
        (&code[..code.len() - 1], &verifier),
        (&code, &other),
        (&code, "short"),
    ] {
        let response = world.exchange(code, verifier);
        assert_eq!(refusal(&response), (400, "invalid_grant".into()));
    }
    for (name, value) in [("code", code.as_str()), ("code_verifier", &verifier)] {
        let response = world.post(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", "key"),
                (name, value),
            ],
        );
        assert_eq!(refusal(&response), (400, "invalid_request".into()));
    }
    // S09: one sent to /token must equal that of the transaction.
    let response = world.post(
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", "key"),
            ("code", &code),
            ("code_verifier", &verifier),
            ("redirect_uri", "https://app.example/query?own=1"),
        ],
    );
    assert_eq!(refusal(&response), (400, "invalid_grant".into()));
    assert_eq!(world.gateway_calls(), calls);
    // None of it has spent the code.
    assert_eq!(world.exchange(&code, &verifier).status, 200);
}

#[test]
fn s16_the_same_code_again_gets_the_stored_answer_until_the_first_use() {
    let mut world = world();
    let (code, verifier) = world.code();
    let first = read(&world.exchange(&code, &verifier));
    world.pass(2000.0);
    let second = read(&world.exchange(&code, &verifier));
    assert_eq!(first["access_token"], second["access_token"]);
    assert_eq!(first["session"], second["session"]);
    assert_eq!(world.gateway.counts().token.authorization_code, 1);
    assert_eq!(
        refusal(&world.exchange(&code, &"v".repeat(43))),
        (400, "invalid_grant".into())
    );

    read(&world.refresh(&[]));
    assert_eq!(
        refusal(&world.exchange(&code, &verifier)),
        (400, "invalid_grant".into())
    );
    assert_eq!(world.last_reason(), "code_spent");
    // The session is none the worse.
    read(&world.refresh(&[]));
    assert_eq!(world.gateway.counts().token.authorization_code, 1);
}

#[test]
fn s16_the_same_code_after_sixty_seconds_is_no_good() {
    let mut world = world();
    let (code, verifier) = world.code();
    read(&world.exchange(&code, &verifier));
    world.pass(60_000.0);
    assert_eq!(
        refusal(&world.exchange(&code, &verifier)),
        (400, "invalid_grant".into())
    );
}

#[test]
fn s16_a_repeated_callback_and_both_its_codes_end_in_one_session() {
    let mut world = world();
    let begun = world.begin();
    let back = world.consent(&begun, true);
    // Both arrive before the browser has stored the first's cookie: two sealed codes.
    let before = world.jar.clone();
    let first = location(&world.callback(&back));
    world.jar = before;
    let second = location(&world.callback(&back));
    assert_ne!(first, second);
    let (first, second) = (
        answered(&first, "code").unwrap(),
        answered(&second, "code").unwrap(),
    );
    let one = read(&world.exchange(&first, &begun.verifier));
    let two = read(&world.exchange(&second, &begun.verifier));
    assert_eq!(one["access_token"], two["access_token"]);
    assert_eq!(world.gateway.counts().token.authorization_code, 1);
}

#[test]
fn the_wrong_custody_fails_aloud_and_costs_no_code() {
    let mut world = world();
    let (code, verifier) = world.code();
    let own = world.headers.clone();
    world.headers = with(&own, "sec-fetch-site", Some("cross-site"));
    let response = world.exchange(&code, &verifier);
    assert_eq!(refusal(&response), (403, "custody_mismatch".into()));
    assert!(String::from_utf8_lossy(&response.body).contains("own site"));
    world.headers = own;
    read(&world.exchange(&code, &verifier));
}

#[test]
fn s19_a_bad_session_cookie_is_no_session() {
    let mut world = world();
    world.sign_in();
    let calls = world.gateway_calls();
    let (name, sealed) = world.jar.iter().find(|(n, _)| !n.contains("-tx-")).unwrap();
    let (name, sealed) = (name.clone(), sealed.clone());
    let transaction = world.jar.values().find(|v| **v != sealed).unwrap().clone();
    for bad in [
        sealed[..sealed.len() - 2].to_owned(),
        format!("{sealed}A"),
        sealed.replacen("s1.", "s2.", 1),
        transaction,
        "x".into(),
        String::new(),
    ] {
        world.jar.insert(name.clone(), bad.clone());
        assert_eq!(
            refusal(&world.refresh(&[])),
            (400, "invalid_grant".into()),
            "{bad}"
        );
        world.jar.insert(name.clone(), bad.clone());
        assert_eq!(world.revoke().status, 200, "{bad}");
    }
    assert_eq!(world.gateway_calls(), calls);
    world.jar.insert(name, sealed);
    read(&world.refresh(&[]));
}

#[test]
fn s20_no_bare_token_is_taken() {
    let mut world = world();
    let tokens = world.sign_in();
    let calls = world.gateway_calls();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        refusal(&world.refresh(&[("refresh_token", access)])),
        (400, "invalid_grant".into())
    );
    let hinted = [
        ("client_id", "key"),
        ("token", access),
        ("token_type_hint", "access_token"),
    ];
    assert_eq!(
        refusal(&world.post("/revoke", &hinted)),
        (400, "unsupported_token_type".into())
    );
    assert_eq!(world.post("/revoke", &hinted[..2]).status, 200);
    assert_eq!(world.gateway_calls(), calls);
}

#[test]
fn s21_client_credentials_is_off() {
    let mut world = world();
    world.sign_in();
    let calls = world.gateway_calls();
    let response = world.post(
        "/token",
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "key"),
            ("scope", "SMS"),
        ],
    );
    assert_eq!(refusal(&response), (400, "unauthorized_client".into()));
    assert_eq!(world.gateway_calls(), calls);
}

#[test]
fn s22_scope_never_changes_at_a_refresh() {
    let mut world = world();
    world.sign_in();
    for scope in ["DC", "DC MIM TL", "\u{e9}"] {
        let response = world.refresh(&[("scope", scope)]);
        assert_eq!(refusal(&response), (400, "invalid_scope".into()), "{scope}");
    }
    read(&world.refresh(&[("scope", "MIM DC")]));
}

#[test]
fn s23_odd_requests_get_the_rfcs_error() {
    let mut world = world();
    world.sign_in();
    let calls = world.gateway_calls();
    let own = world.headers.clone();
    let mut send = |method: &str, kind: &str, body: Vec<u8>| {
        let mut headers = own.clone();
        headers.append("content-type", kind);
        let response = world.send(Request {
            method: method.into(),
            url: format!("{ISSUER}/token"),
            headers,
            body,
        });
        (
            refusal(&response),
            response.headers.get("allow").map(str::to_owned),
        )
    };
    let bad = |status: u16, error: &str| ((status, error.to_owned()), None);
    let good = b"grant_type=refresh_token&client_id=key".to_vec();
    assert_eq!(
        send("POST", "application/json", good.clone()),
        bad(400, "invalid_request")
    );
    assert_eq!(
        send(
            "POST",
            FORM,
            [good.clone(), b"&client_id=key".to_vec()].concat()
        ),
        bad(400, "invalid_request")
    );
    assert_eq!(
        send("POST", FORM, [good.clone(), b"&a=1&a=2".to_vec()].concat()),
        bad(400, "invalid_request")
    );
    assert_eq!(
        send("POST", FORM, b"client_id=\xff".to_vec()),
        bad(400, "invalid_request")
    );
    assert_eq!(
        send("POST", FORM, b"client_id=%ff".to_vec()),
        bad(400, "invalid_request")
    );
    assert_eq!(
        send("POST", FORM, b"client_id=key".to_vec()),
        bad(400, "invalid_request")
    );
    assert_eq!(
        send("POST", FORM, b"client_id=other".to_vec()),
        bad(401, "invalid_client")
    );
    assert_eq!(
        send("POST", FORM, b"client_id=key&client_secret=x".to_vec()),
        bad(401, "invalid_client")
    );
    assert_eq!(
        send("POST", FORM, b"client_id=key&grant_type=password".to_vec()),
        bad(400, "unsupported_grant_type")
    );
    assert_eq!(
        send(
            "POST",
            FORM,
            [good.clone(), b"&min_validity=x".to_vec()].concat()
        ),
        bad(400, "invalid_request")
    );
    let many: String = (0..65).map(|i| format!("p{i}=x&")).collect();
    assert_eq!(
        send("POST", FORM, many.into_bytes()),
        bad(400, "invalid_request")
    );
    assert_eq!(
        send("POST", FORM, vec![b'a'; 8193]),
        bad(413, "invalid_request")
    );
    let allow = Some("POST, OPTIONS".to_owned());
    assert_eq!(
        send("GET", FORM, Vec::new()),
        ((405, "invalid_request".into()), allow)
    );
    assert_eq!(world.gateway_calls(), calls);
    let long = Form::new().set("state", &"s".repeat(9000));
    assert_eq!(refusal(&world.authorize(&long)).0, 414);
}

#[test]
fn s26_what_goes_out_never_says_which_check_failed() {
    let mut world = world();
    let (code, verifier) = world.code();
    let wrong_code = world.exchange("s1.AAAA", &verifier);
    let first = world.last_reason().to_owned();
    let wrong_verifier = world.exchange(&code, &"v".repeat(43));
    assert_eq!(wrong_code, wrong_verifier);
    assert_eq!(first, "bad_code");
    assert_eq!(world.last_reason(), "wrong_code_verifier");
}

#[test]
fn credentials_in_the_header_are_refused_by_their_own_scheme() {
    let mut world = world();
    world.sign_in();
    let calls = world.gateway_calls();
    world.headers = world
        .headers
        .clone()
        .with("authorization", "Basic a2V5OnM=");
    for path in ["/token", "/revoke"] {
        let response = world.post(path, &[("grant_type", "refresh_token")]);
        assert_eq!(refusal(&response), (401, "invalid_client".into()));
        let challenge = response.headers.get("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic "), "{challenge}");
    }
    assert_eq!(world.gateway_calls(), calls);
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    let mut world = world();
    for (path, allow) in [
        ("/token", "POST, OPTIONS"),
        ("/health", "GET, HEAD"),
        ("/authorize", "GET"),
    ] {
        let mut request = Request::get(format!("{ISSUER}{path}"));
        request.method = "PUT".into();
        let response = world.send(request);
        assert_eq!(response.status, 405);
        assert_eq!(response.headers.get("allow"), Some(allow));
    }
}
