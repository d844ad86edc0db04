//! Tokens: kept, renewed, shared; and when their ends are told.

use att_oauth::protocol::ErrorCode;
use att_oauth::protocol::http::Response;
use att_oauth::session::{Effect, Event, Outcome, Reply, Wanted};
use serde_json::json;

use crate::world::{Network, Tab, World};
use crate::{NEW, PAGE, custodies};

#[test]
fn a_token_is_kept_while_it_is_fresh_and_renewed_when_it_is_due() {
    let tab = World::with(json!({ "accessTokenTtl": 3600 }))
        .tab(PAGE)
        .signed_in();
    let first = tab.token().unwrap();
    tab.world.pass(3500.0);
    assert_eq!(tab.token().unwrap(), first);
    tab.world.pass(80.0);
    let second = tab.token().unwrap();
    assert_ne!(second, first);
    assert!(tab.is_good(&second) && !tab.is_good(&first));
    assert_eq!(
        *tab.world.requests.borrow(),
        ["/oauth/token", "/oauth/token"]
    );
}

#[test]
fn what_a_token_must_still_last_by_the_options_is_what_a_relay_gives_too() {
    let tab = World::relayed(json!({ "accessTokenTtl": 600 }))
        .tab_with(PAGE, |options| options.min_validity = Some(140_000.0))
        .signed_in();
    let first = tab.token().unwrap();
    tab.world.pass(450.0);
    assert_eq!(tab.token().unwrap(), first);
    tab.world.pass(50.0);
    assert_ne!(tab.token().unwrap(), first);
}

#[test]
fn s28_a_failure_that_passes_keeps_the_user_signed_in() {
    let tab = World::with(json!({ "accessTokenTtl": 3600 }))
        .tab(PAGE)
        .signed_in();
    let first = tab.token().unwrap();
    for network in [
        Network::Away,
        Network::Says(500),
        Network::Says(429),
        Network::Says(302),
    ] {
        tab.world.pass(3590.0 / 4.0);
        *tab.world.network.borrow_mut() = vec![network];
        let wanted = Wanted {
            min_validity: Some(3_600_000.0),
            ..Wanted::default()
        };
        let kept = tab.drive(tab.client.access_token(wanted));
        assert!(
            matches!(kept, Ok(Outcome::AccessToken(token)) if token.expose() == first),
            "{network:?}"
        );
        assert!(tab.client.is_signed_in());
        assert!(matches!(
            tab.events.borrow().last(),
            Some(Event::RefreshError(_))
        ));
    }
    // Past its end there is nothing to keep, and still nothing is lost.
    tab.world.pass(60.0);
    *tab.world.network.borrow_mut() = vec![Network::Away];
    assert_eq!(tab.token().unwrap_err().code, ErrorCode::Network);
    assert!(tab.client.is_signed_in());
    assert!(tab.is_good(&tab.token().unwrap()));
}

#[test]
fn s28_a_failure_that_passes_gives_nobody_a_token_that_an_api_has_refused() {
    let world = World::relayed(json!({}));
    let tab = world.tab(PAGE).signed_in();
    let refused = Wanted {
        rejected_generation: Some(1),
        ..Wanted::default()
    };
    for network in [Network::Away, Network::Says(500)] {
        *world.network.borrow_mut() = vec![network];
        let error = tab.drive(tab.client.access_token(refused)).unwrap_err();
        assert!(error.code.is_retryable(), "{error:?}");
        assert!(tab.client.is_signed_in());
    }
    assert!(tab.drive(tab.client.access_token(refused)).is_ok());
}

#[test]
fn s28_invalid_grant_alone_ends_the_session() {
    let tab = World::with(json!({ "accessTokenTtl": 60 }))
        .tab(PAGE)
        .signed_in();
    tab.world.gateway.borrow_mut().end_sessions();
    tab.world.pass(100.0);
    assert_eq!(tab.token().unwrap_err().code, ErrorCode::LoginRequired);
    assert!(!tab.client.is_signed_in());
    assert_eq!(tab.events.borrow().last(), Some(&Event::SignedOut));
    assert_eq!(tab.token().unwrap_err().code, ErrorCode::LoginRequired);
    assert_eq!(
        tab.world.requests.borrow().len(),
        2,
        "a session that has ended asks nobody"
    );
}

#[test]
fn callers_who_waited_for_a_renewal_share_what_came_of_it() {
    let tab = World::with(json!({ "accessTokenTtl": 60 }))
        .tab(PAGE)
        .signed_in();
    tab.world.pass(100.0);
    // All begin before the first one ends; the lock lets them through one after the other.
    let mut waiting: Vec<_> = (0..10)
        .map(|_| tab.client.access_token(Wanted::default()))
        .collect();
    *tab.world.network.borrow_mut() = vec![Network::Away];
    for task in waiting.drain(..) {
        assert_eq!(tab.drive(task).unwrap_err().code, ErrorCode::Network);
    }
    assert_eq!(tab.world.requests.borrow().len(), 2);
    let waiting: Vec<_> = (0..10).map(|_| tab.client.access_token(NEW)).collect();
    let tokens: Vec<_> = waiting
        .into_iter()
        .map(|task| tab.drive(task).unwrap())
        .collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(tab.world.requests.borrow().len(), 3);
}

#[test]
fn s29_who_waited_for_a_renewal_wants_no_other_though_another_tab_has_renewed_since() {
    let world = World::relayed(json!({}));
    let (one, other) = (world.tab(PAGE).signed_in(), world.tab(PAGE));
    other.handle_redirect().unwrap();
    let renewal = |tab: &Tab| {
        tab.client.access_token(Wanted {
            renew: true,
            ..Wanted::default()
        })
    };
    let (first, second) = (renewal(&one), renewal(&one));
    one.drive(first).unwrap();
    other.drive(renewal(&other)).unwrap();
    let calls = || world.relay().gateway_calls();
    let before = calls();
    assert!(matches!(one.drive(second), Ok(Outcome::AccessToken(_))));
    assert_eq!(calls(), before, "the relay has it");
    assert!(one.is_good(&one.token().unwrap()));
}

#[test]
fn a_token_that_an_api_has_refused_is_renewed_though_the_page_never_heard_of_it() {
    let world = World::relayed_with(json!({ "custody": "cookie" }), json!({}));
    let tab = world.tab(PAGE).signed_in();
    *world.network.borrow_mut() = vec![Network::LosesReply];
    assert!(tab.drive(tab.client.access_token(NEW)).is_err());
    let calls = || world.relay().gateway_calls();
    let before = calls();
    tab.client.called(&world.stored_label(), 2);
    let wanted = Wanted {
        rejected_generation: Some(2),
        ..Wanted::default()
    };
    assert!(tab.drive(tab.client.access_token(wanted)).is_ok());
    assert_eq!(calls(), before + 1);
}

#[test]
fn a_reload_stays_signed_in() {
    let tab = World::new().tab(PAGE).signed_in();
    let tab = tab.reload();
    assert!(!tab.client.is_signed_in());
    assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
    assert!(tab.client.is_signed_in());
    assert_eq!(
        tab.world.requests.borrow().len(),
        1,
        "looking costs no request"
    );
    assert!(tab.is_good(&tab.token().unwrap()));
}

#[test]
fn expiring_and_expired_are_told_once_each() {
    let tab = World::with(json!({ "accessTokenTtl": 3600 }))
        .tab(PAGE)
        .signed_in();
    let now = || *tab.world.now.borrow();
    assert_eq!(tab.client.alarm(now()), Some(3_540_000.0));
    assert_eq!(tab.client.tick(now()), None);
    tab.world.pass(3540.0);
    assert_eq!(tab.client.tick(now()), Some(Event::Expiring));
    assert_eq!(tab.client.tick(now()), None);
    assert_eq!(tab.client.alarm(now()), Some(60_000.0));
    // A sleep of a day.
    tab.world.pass(86_400.0);
    assert_eq!(tab.client.tick(now()), Some(Event::Expired));
    assert_eq!(
        (tab.client.tick(now()), tab.client.alarm(now())),
        (None, None)
    );
    // The network was away meanwhile, and comes back.
    assert_eq!(tab.client.is_online(now()), Some(Event::Expired));
    tab.token().unwrap();
    assert_eq!(tab.client.alarm(now()), Some(3_540_000.0));
    assert_eq!(tab.client.is_online(now()), None);
}

#[test]
fn a_token_that_never_expires_sets_no_alarm() {
    let tab = World::with(json!({ "accessTokenTtl": 0 }))
        .tab(PAGE)
        .signed_in();
    assert_eq!(tab.client.expires_at(), Some(f64::INFINITY));
    assert_eq!(tab.client.alarm(*tab.world.now.borrow()), None);
    tab.world.pass(1e9);
    assert!(tab.token().is_ok());
}

#[test]
fn who_waits_for_a_renewal_of_the_session_before_gets_a_token_of_the_one_that_has_taken_its_place()
{
    let replies = [
        (400, r#"{"error":"invalid_grant"}"#),
        (409, r#"{"error":"session_mismatch"}"#),
    ];
    for (status, body) in replies {
        for world in custodies() {
            let tab = world.tab(PAGE).signed_in();
            let [mut first, mut second] = [NEW; 2].map(|wanted| tab.client.access_token(wanted));
            tab.drive_to_request(&mut first);
            tab.drive_to(&mut second, |effect| matches!(effect, Effect::LockTabs));
            let tab = tab.signed_in();
            let reply = Reply::Response(Response::new(status).body("application/json", body));
            let error = tab.drive_on(&mut first, reply).unwrap_err();
            assert_eq!(error.code, ErrorCode::SessionMismatch);
            let Outcome::AccessToken(token) = tab.drive_on(&mut second, Reply::Done).unwrap()
            else {
                panic!("a token");
            };
            assert!(tab.is_good(token.expose()));
            assert_eq!(tab.token().unwrap(), token.expose());
        }
    }
}

#[test]
fn who_waits_for_a_renewal_that_another_tabs_sign_in_has_ended_gets_a_token_once_the_page_has_looked_anew()
 {
    for world in custodies() {
        let tab = world.tab(PAGE).signed_in();
        let [mut first, mut second] = [NEW; 2].map(|wanted| tab.client.access_token(wanted));
        tab.drive_to_request(&mut first);
        tab.drive_to(&mut second, |effect| matches!(effect, Effect::LockTabs));
        world.tab(PAGE).signed_in();
        let reply = Reply::Response(
            Response::new(409).body("application/json", r#"{"error":"session_mismatch"}"#),
        );
        let error = tab.drive_on(&mut first, reply).unwrap_err();
        assert_eq!(error.code, ErrorCode::SessionMismatch);
        tab.handle_redirect().unwrap();
        let outcome = tab.drive_on(&mut second, Reply::Done);
        assert!(
            matches!(outcome, Ok(Outcome::AccessToken(_))),
            "{outcome:?}"
        );
    }
}
