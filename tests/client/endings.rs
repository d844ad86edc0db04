//! The end of a session, here and in other tabs, and what comes late.

use att_oauth::protocol::ErrorCode;
use att_oauth::protocol::http::Response;
use att_oauth::session::{Effect, Event, Outcome, Reply, Wanted};
use serde_json::{Value, json};

use crate::world::{Network, World};
use crate::{NEW, PAGE, custodies};

/// What a tab with a record of its own tells when its user has signed out.
const USER_LEFT: &str = "some-label\u{1f}-";

#[test]
fn revoking_ends_the_session_here_and_at_the_gateway() {
    let tab = World::new().tab(PAGE).signed_in();
    let token = tab.token().unwrap();
    *tab.world.network.borrow_mut() = vec![Network::Away];
    assert_eq!(
        tab.drive(tab.client.revoke()).unwrap_err().code,
        ErrorCode::Network
    );
    assert!(
        tab.client.is_signed_in() && tab.is_good(&token),
        "a failure changes nothing"
    );
    tab.drive(tab.client.revoke()).unwrap();
    assert!(!tab.client.is_signed_in() && !tab.is_good(&token));
    assert_eq!(tab.drive(tab.client.revoke()), Ok(Outcome::Nothing));
}

#[test]
fn signing_out_works_whatever_the_network_does() {
    let tab = World::new().tab(PAGE).signed_in();
    *tab.world.network.borrow_mut() = vec![Network::Away];
    tab.drive(tab.client.sign_out()).unwrap();
    assert!(!tab.client.is_signed_in());
    assert_eq!(tab.events.borrow().last(), Some(&Event::SignedOut));
    let tab = tab.reload();
    tab.handle_redirect().unwrap();
    assert!(!tab.client.is_signed_in());
}

#[test]
fn s30_another_tab_hears_of_the_end_and_a_late_token_is_dropped() {
    let world = World::with(json!({ "accessTokenTtl": 60 }));
    let a = world.tab(PAGE).signed_in();
    let b = world.tab(PAGE);
    b.handle_redirect().unwrap();
    world.pass(100.0);
    let mut late = b.client.access_token(Wanted::default());
    b.drive_to_request(&mut late);
    a.drive(a.client.sign_out()).unwrap();
    let body = r#"{"access_token":"late","token_type":"bearer","expires_in":60}"#;
    let reply = Reply::Response(Response::new(200).body("application/json", body));
    assert_eq!(
        b.drive_on(&mut late, reply).unwrap_err().code,
        ErrorCode::LoginRequired
    );
    assert!(!b.client.is_signed_in());
    b.drive(b.client.sync("")).unwrap();
    assert!(!b.client.is_signed_in());
    assert_eq!(b.events.borrow().last(), Some(&Event::SignedOut));
}

#[test]
fn s30_a_sign_out_whose_revocation_is_answered_late_leaves_a_later_session_alone() {
    for world in custodies() {
        let first = world.tab(PAGE).signed_in();
        let mut late = first.client.sign_out();
        let reply = first.drive_to_reply(&mut late);
        let second = world.tab(PAGE).signed_in();
        first.drive_on(&mut late, reply).unwrap();
        assert!(!first.client.is_signed_in());
        let second = second.reload();
        assert_eq!(second.handle_redirect(), Ok(Outcome::Nothing));
        assert!(second.client.is_signed_in());
        assert!(second.is_good(&second.token().unwrap()));
    }
}

#[test]
fn s30_a_sign_out_whose_revocation_reaches_the_relay_late_leaves_a_later_session_alone() {
    for world in custodies() {
        let first = world.tab(PAGE).signed_in();
        let mut late = first.client.sign_out();
        first.drive_to_request(&mut late);
        let second = world.tab(PAGE).signed_in();
        let mismatch =
            Response::new(409).body("application/json", r#"{"error":"session_mismatch"}"#);
        let asked = world.requests.borrow().len();
        first
            .drive_on(&mut late, Reply::Response(mismatch))
            .unwrap();
        assert_eq!(world.requests.borrow().len(), asked);
        assert!(second.is_good(&second.token().unwrap()));
    }
}

#[test]
fn s30_a_sign_out_ends_what_a_page_was_given_that_has_not_stored_it_yet() {
    // A handle of custody `handle` is known to that page alone.
    let world = World::relayed(json!({}));
    let first = world.tab(PAGE).signed_in();
    let frozen = world.tab(PAGE);
    frozen.go_and_come_back("allow");
    let mut redirect = frozen.client.handle_redirect(&frozen.href.borrow());
    frozen.drive_to_reply(&mut redirect);
    first.drive(first.client.sign_out()).unwrap();
    let frozen = frozen.reload();
    assert_eq!(
        frozen.handle_redirect().unwrap_err().code,
        ErrorCode::LoginRequired
    );
    assert!(!frozen.client.is_signed_in());
    // Nothing stays owed.
    let asked = world.requests.borrow().len();
    first.drive(first.client.settle()).unwrap();
    assert_eq!(world.requests.borrow().len(), asked);
}

#[test]
fn s31_a_token_that_comes_after_another_sign_in_is_dropped() {
    for world in custodies() {
        let first = world.tab(PAGE).signed_in();
        let mut late = first.client.access_token(NEW);
        let reply = first.drive_to_reply(&mut late);
        assert!(matches!(&reply, Reply::Response(response) if response.status == 200));
        let second = world.tab(PAGE).signed_in();
        let (token, label) = (second.token().unwrap(), world.stored_label());
        let error = first.drive_on(&mut late, reply).unwrap_err();
        assert_eq!(error.code, ErrorCode::SessionMismatch);
        assert_eq!(first.token().unwrap_err().code, ErrorCode::SessionMismatch);
        assert_eq!(
            [&first, &second].map(|tab| tab.client.is_displaced()),
            [true, false]
        );
        assert_eq!(world.stored_label(), label);
        assert_eq!(second.token().unwrap(), token);
    }
}

#[test]
fn a_late_reply_for_the_session_before_takes_nothing_from_a_page_that_has_signed_in_anew() {
    let replies = [
        (200, r#"{"access_token":"old","token_type":"bearer"}"#),
        (400, r#"{"error":"invalid_grant"}"#),
        (409, r#"{"error":"session_mismatch"}"#),
    ];
    for (status, body) in replies {
        for world in custodies() {
            let tab = world.tab(PAGE).signed_in();
            // Without the lock, for which it has waited long enough.
            let mut late = tab.client.access_token(NEW);
            tab.drive_to_request(&mut late);
            let tab = tab.signed_in();
            let (token, label) = (tab.token().unwrap(), world.stored_label());
            let reply = Reply::Response(Response::new(status).body("application/json", body));
            let error = tab.drive_on(&mut late, reply).unwrap_err();
            assert_eq!(error.code, ErrorCode::SessionMismatch);
            assert_eq!(tab.token().unwrap(), token);
            assert_eq!(world.stored_label(), label);
        }
    }
}

#[test]
fn s30_a_token_of_the_session_ahead_of_the_record_is_dropped_if_it_comes_after_its_sign_out() {
    for is_left in [false, true] {
        let world = World::relayed(json!({}));
        world.tab(PAGE).signed_in();
        world.tab(PAGE).signs_in_and_dies_over_the_reply();
        let tab = world.tab(PAGE);
        let mut late = tab.client.access_token(Wanted::default());
        let refused = tab.drive_to_reply(&mut late);
        assert!(matches!(&refused, Reply::Response(response) if response.status == 409));
        let reply = tab.drive_on_to_reply(&mut late, refused);
        assert!(matches!(&reply, Reply::Response(response) if response.status == 200));
        if is_left {
            tab.drive(tab.client.sync(USER_LEFT)).unwrap();
        }
        let outcome = tab.drive_on(&mut late, reply);
        assert_eq!(outcome.is_ok(), !is_left, "{outcome:?}");
        assert_eq!(tab.client.is_signed_in(), !is_left);
    }
}

#[test]
fn s31_a_page_whose_place_was_taken_hears_of_the_end_of_that_session_and_takes_up_no_other() {
    for world in custodies() {
        let first = world.tab(PAGE).signed_in();
        let second = world.tab(PAGE).signed_in();
        first.drive(first.client.sync("")).unwrap();
        assert!(first.client.is_displaced());
        second.drive(second.client.sign_out()).unwrap();
        first.drive(first.client.sync("")).unwrap();
        assert!(!first.client.is_displaced());
        assert_eq!(first.events.borrow().last(), Some(&Event::SignedOut));
        assert_eq!(first.token().unwrap_err().code, ErrorCode::LoginRequired);
        let told = first.events.borrow().len();
        first.drive(first.client.sync("")).unwrap();
        assert_eq!(first.events.borrow().len(), told, "it is told once");
        world.tab(PAGE).signed_in();
        assert_eq!(first.token().unwrap_err().code, ErrorCode::SessionMismatch);
        first.handle_redirect().unwrap();
        first.token().unwrap();
    }
}

#[test]
fn s31_a_token_of_another_session_than_was_asked_for_is_dropped() {
    for world in custodies() {
        let tab = world.tab(PAGE).signed_in();
        let mut task = tab.client.access_token(NEW);
        tab.drive_to_request(&mut task);
        let label = world.stored_label();
        let body =
            r#"{"access_token":"theirs","token_type":"bearer","expires_in":60,"session":"theirs"}"#;
        let reply = Reply::Response(Response::new(200).body("application/json", body));
        let error = tab.drive_on(&mut task, reply).unwrap_err();
        assert_eq!(error.code, ErrorCode::SessionMismatch);
        assert_eq!(world.stored_label(), label);
    }
}

#[test]
fn s31_the_end_of_another_session_that_a_tab_hears_of_is_none_of_its_own() {
    for world in custodies() {
        world.tab(PAGE).signed_in();
        let ended = world.stored_label();
        let tab = world.tab(PAGE).signed_in();
        let (token, label) = (tab.token().unwrap(), world.stored_label());
        let asked = world.requests.borrow().len();
        tab.drive(tab.client.sync(&ended)).unwrap();
        assert_eq!(*tab.events.borrow(), [Event::Change]);
        assert_eq!(tab.token().unwrap(), token);
        assert_eq!(world.requests.borrow().len(), asked);
        assert_eq!(world.stored_label(), label);
    }
}

#[test]
fn s30_a_sign_out_while_a_sign_in_waits_for_its_turn_ends_it_here_but_not_in_another_tab() {
    for is_here in [true, false] {
        let world = World::relayed(json!({}));
        let tab = world.tab(PAGE);
        tab.go_and_come_back("allow");
        let mut redirect = tab.client.handle_redirect(&tab.href.borrow());
        tab.drive_to(&mut redirect, |effect| matches!(effect, Effect::LockTabs));
        if is_here {
            tab.drive(tab.client.sign_out()).unwrap();
        } else {
            // What the tab has waited for: it was before.
            tab.drive(tab.client.sync(USER_LEFT)).unwrap();
        }
        let outcome = tab.drive_on(&mut redirect, Reply::Done).unwrap();
        assert_eq!(matches!(outcome, Outcome::SignedIn(_)), !is_here);
        assert_eq!(tab.client.is_signed_in(), !is_here);
        let exchanges = world.relay().gateway_calls();
        assert_eq!(
            exchanges,
            u64::from(!is_here),
            "a code that is sent is spent"
        );
    }
}

#[test]
fn s30_a_sign_in_whose_reply_comes_after_a_sign_out_is_dropped_and_its_token_revoked() {
    for is_here in [true, false] {
        for world in custodies().chain([World::new()]) {
            let tab = world.tab(PAGE);
            tab.go_and_come_back("allow");
            let mut redirect = tab.client.handle_redirect(&tab.href.borrow());
            let reply = tab.drive_to_reply(&mut redirect);
            let Reply::Response(response) = &reply else {
                panic!("{reply:?}")
            };
            let granted: Value = serde_json::from_slice(&response.body).unwrap();
            let token = granted["access_token"].as_str().unwrap();
            assert!(tab.is_good(token));
            if is_here {
                tab.drive(tab.client.sign_out()).unwrap();
            } else {
                tab.drive(tab.client.sync(USER_LEFT)).unwrap();
            }
            assert_eq!(tab.drive_on(&mut redirect, reply), Ok(Outcome::Nothing));
            assert!(!tab.client.is_signed_in() && !tab.is_good(token));
            let tab = tab.reload();
            assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
            assert!(!tab.client.is_signed_in());
        }
    }
}
