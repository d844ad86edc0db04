//! Client, relay, vault and gateway joined in memory: what only all of them together can promise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod apart;
mod handles;
#[path = "../world/mod.rs"]
mod world;

use std::rc::Rc;

use att_oauth::protocol::ErrorCode;
use att_oauth::protocol::scope::Scope;
use att_oauth::session::{Outcome, SignIn, Wanted};
use serde_json::json;
use world::relay::SECRET;
use world::{Network, Tab, World};

const PAGE: &str = "https://app.example/inbox";

fn short_lived() -> Rc<World> {
    World::relayed(json!({ "accessTokenTtl": 600 }))
}

fn renewals(world: &World) -> u64 {
    world.relay().gateway.counts().token.refresh_token
}

#[test]
fn a_user_signs_in_through_the_relay() {
    let tab = World::relayed(json!({})).tab(PAGE);
    tab.go_and_come_back("allow");
    assert!(
        tab.href
            .borrow()
            .starts_with("https://app.example/signed-in#code=")
    );
    assert_eq!(
        tab.handle_redirect(),
        Ok(Outcome::SignedIn(Some("/inbox".into())))
    );
    assert_eq!(*tab.href.borrow(), "https://app.example/signed-in");
    assert_eq!(tab.client.scope().unwrap().to_spaces(), "DC");
    assert!(tab.is_good(&tab.token().unwrap()));
    assert_eq!(renewals(&tab.world), 0);
}

#[test]
fn a_reload_gets_the_kept_token_and_costs_the_gateway_nothing() {
    let tab = short_lived().tab(PAGE).signed_in();
    let token = tab.token().unwrap();
    let tab = tab.reload();
    assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
    assert!(tab.client.is_signed_in());
    assert_eq!(tab.token().unwrap(), token);
    assert_eq!(renewals(&tab.world), 0);
}

#[test]
fn a_kept_token_handed_to_one_tab_is_no_news_to_another() {
    let world = short_lived();
    let first = world.tab(PAGE).signed_in();
    let token = first.token().unwrap();
    world.pass(60.4);
    let second = world.tab(PAGE);
    second.handle_redirect().unwrap();
    assert_eq!(second.token().unwrap(), token);
    first.events.borrow_mut().clear();
    let requests = world.requests.borrow().len();
    first.drive(first.client.sync("")).unwrap();
    assert_eq!(*first.events.borrow(), []);
    assert_eq!(first.token().unwrap(), token);
    assert_eq!(world.requests.borrow().len(), requests);
}

#[test]
fn s29_five_tabs_at_a_tokens_end_make_one_renewal_at_the_gateway() {
    let world = short_lived();
    let first = world.tab(PAGE).signed_in();
    let tabs: Vec<Tab> = (0..4).map(|_| world.tab(PAGE)).collect();
    for tab in &tabs {
        tab.handle_redirect().unwrap();
        tab.token().unwrap();
    }
    world.pass(700.0);
    world.requests.borrow_mut().clear();
    let token = first.token().unwrap();
    for tab in &tabs {
        assert_eq!(tab.token().unwrap(), token);
        assert_eq!(tab.token().unwrap(), token);
    }
    assert!(first.is_good(&token));
    assert_eq!(renewals(&world), 1);
    assert_eq!(
        world.requests.borrow().len(),
        5,
        "at most one request a tab"
    );
}

#[test]
fn s29_a_reply_of_the_relay_that_is_lost_costs_nothing() {
    let tab = short_lived().tab(PAGE).signed_in();
    tab.world.pass(700.0);
    *tab.world.network.borrow_mut() = vec![Network::LosesReply];
    assert_eq!(tab.token().unwrap_err().code, ErrorCode::Timeout);
    assert!(tab.client.is_signed_in());
    assert!(tab.is_good(&tab.token().unwrap()));
    assert_eq!(renewals(&tab.world), 1);
}

#[test]
fn a_reply_to_the_sign_in_that_is_lost_costs_nothing() {
    let tab = World::relayed(json!({})).tab(PAGE);
    tab.go_and_come_back("allow");
    *tab.world.network.borrow_mut() = vec![Network::LosesReply];
    assert_eq!(tab.handle_redirect().unwrap_err().code, ErrorCode::Timeout);
    // Even with a reload in between.
    let tab = tab.reload();
    assert!(matches!(tab.handle_redirect(), Ok(Outcome::SignedIn(_))));
    assert!(tab.is_good(&tab.token().unwrap()));
    assert_eq!(
        tab.world.relay().gateway.counts().token.authorization_code,
        1
    );
}

#[test]
fn a_gateway_that_is_out_of_order_keeps_the_user_signed_in() {
    let tab = short_lived().tab(PAGE).signed_in();
    for kind in [
        "server_error",
        "unavailable",
        "rate_limit",
        "timeout",
        "cut",
        "html",
        "huge",
        "redirect",
    ] {
        tab.world.pass(700.0);
        tab.world
            .relay()
            .fault(json!({ "kind": kind, "endpoint": "token" }));
        let error = tab.token().unwrap_err();
        assert_eq!(
            (error.code, error.code.is_retryable()),
            (ErrorCode::TemporarilyUnavailable, true),
            "{kind}"
        );
        assert!(tab.client.is_signed_in(), "{kind}");
        // Once the back-off is over it goes on by itself.
        tab.world.pass(60.0);
        assert!(tab.is_good(&tab.token().unwrap()), "{kind}");
    }
}

#[test]
fn a_token_refused_by_an_api_is_renewed_once_however_many_say_so() {
    let tab = short_lived().tab(PAGE).signed_in();
    let first = tab.token().unwrap();
    tab.world.relay().gateway.expire_access_tokens();
    assert!(!tab.is_good(&first));
    let wanted = Wanted {
        rejected_generation: Some(1),
        ..Wanted::default()
    };
    for _ in 0..3 {
        let Ok(Outcome::AccessToken(token)) = tab.drive(tab.client.access_token(wanted)) else {
            panic!()
        };
        assert!(tab.is_good(token.expose()));
    }
    assert_eq!(renewals(&tab.world), 1);
}

#[test]
fn refreshing_by_hand_renews_at_once() {
    let tab = short_lived().tab(PAGE).signed_in();
    let first = tab.token().unwrap();
    let wanted = Wanted {
        renew: true,
        ..Wanted::default()
    };
    assert!(
        matches!(tab.drive(tab.client.access_token(wanted)), Ok(Outcome::AccessToken(token)) if token.expose() != first)
    );
    assert_eq!(renewals(&tab.world), 1);
}

#[test]
fn consent_that_was_withdrawn_ends_in_login_required_and_no_loop() {
    let tab = short_lived().tab(PAGE).signed_in();
    tab.world.relay().gateway.end_sessions();
    tab.world.pass(700.0);
    assert_eq!(tab.token().unwrap_err().code, ErrorCode::LoginRequired);
    let calls = tab.world.relay().gateway_calls();
    for _ in 0..10 {
        assert_eq!(tab.token().unwrap_err().code, ErrorCode::LoginRequired);
    }
    assert_eq!(tab.world.relay().gateway_calls(), calls);
}

#[test]
fn a_gateway_that_does_not_echo_state_is_no_hindrance() {
    let tab = World::relayed(json!({ "echoState": false }))
        .tab(PAGE)
        .signed_in();
    assert!(tab.is_good(&tab.token().unwrap()));
}

#[test]
fn a_denial_reaches_the_app_in_words() {
    let tab = World::relayed(json!({})).tab(PAGE);
    tab.go_and_come_back("deny");
    assert_eq!(
        tab.handle_redirect().unwrap_err().code,
        ErrorCode::AccessDenied
    );
}

#[test]
fn s01_s03_neither_the_secret_nor_a_refresh_token_comes_out_of_the_relay() {
    let tab = short_lived().tab(PAGE).signed_in();
    tab.world.pass(700.0);
    tab.token().unwrap();
    tab.drive(tab.client.revoke()).unwrap();
    let relay = tab.world.relay();
    assert!(!relay.outward.contains(SECRET));
    let mut seen = 0;
    for exchange in relay.gateway.log() {
        let shown = format!("{:?}", exchange.unmasked());
        for rest in shown.split("refresh_token\\\":\\\"").skip(1) {
            let token = rest.split('\\').next().unwrap();
            assert!(
                token.len() > 20 && !relay.outward.contains(token),
                "{token}"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 2);
}

#[test]
fn a_denied_sign_in_on_top_of_a_session_leaves_the_user_signed_in() {
    let tab = World::relayed(json!({})).tab(PAGE).signed_in();
    let token = tab.token().unwrap();
    let tab = tab.reload();
    tab.go_and_come_back("deny");
    assert_eq!(
        tab.handle_redirect().unwrap_err().code,
        ErrorCode::AccessDenied
    );
    assert!(tab.client.is_signed_in());
    assert_eq!(tab.token().unwrap(), token);
}

#[test]
fn a_sign_in_for_more_scopes_takes_the_sessions_place_once_the_user_agrees() {
    let tab = World::relayed(json!({})).tab(PAGE).signed_in();
    let token = tab.token().unwrap();
    let more = || SignIn {
        scope: Scope::parse("DC MIM").unwrap(),
        ..SignIn::default()
    };
    let scope = |tab: &Tab| tab.client.scope().unwrap().to_spaces();

    tab.go_for(more(), "deny");
    assert!(tab.handle_redirect().is_err());
    assert_eq!(scope(&tab), "DC");
    assert_eq!(tab.token().unwrap(), token);

    tab.go_for(more(), "allow");
    assert!(tab.client.is_signed_in(), "while the user is away too");
    let tab = tab.reload();
    tab.handle_redirect().unwrap();
    assert_eq!(scope(&tab), "DC MIM");
    assert!(tab.is_good(&tab.token().unwrap()));
    assert!(!tab.is_good(&token), "the session before it was revoked");

    tab.world.pass(200_000.0);
    tab.token().unwrap();
    let tab = tab.reload();
    tab.handle_redirect().unwrap();
    assert_eq!(scope(&tab), "DC MIM", "after a renewal and a reload too");
}

#[test]
fn an_apis_answer_tells_of_a_newer_token() {
    let world = short_lived();
    let first = world.tab(PAGE).signed_in();
    let token = first.token().unwrap();
    let second = world.tab(PAGE);
    second.handle_redirect().unwrap();
    second
        .drive(second.client.access_token(Wanted {
            renew: true,
            ..Wanted::default()
        }))
        .unwrap();
    // The first page hasn't heard, and its token is dead at the gateway; then an API answers it.
    let now = *world.now.borrow();
    let kept = || first.client.fresh_token(now, None).map(|(token, _)| token);
    assert!(kept().is_some_and(|kept| kept.expose() == token));
    assert!(!first.is_good(&token));
    first.client.called("AAAAAAAAAAAA", 2);
    assert!(kept().is_some(), "that was another session");
    first.client.called(&world.stored_label(), 2);
    assert_eq!(kept(), None);
    assert!(first.is_good(&first.token().unwrap()));
    assert_eq!(renewals(&world), 1);
}
