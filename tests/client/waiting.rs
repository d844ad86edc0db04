//! An answer whose exchange was cut off waits, and what becomes of it.

use att_oauth::protocol::ErrorCode;
use att_oauth::session::{Client, Outcome};
use serde_json::json;

use crate::world::{Network, World};
use crate::{NEW, PAGE};

#[test]
fn a_network_that_is_away_at_the_exchange_costs_a_second_call_and_no_more() {
    let tab = World::new().tab(PAGE);
    tab.go_and_come_back("allow");
    *tab.world.network.borrow_mut() = vec![Network::Away];
    let error = tab.handle_redirect().unwrap_err();
    assert_eq!(
        (error.code, error.code.is_retryable()),
        (ErrorCode::Network, true)
    );
    assert!(matches!(tab.handle_redirect(), Ok(Outcome::SignedIn(_))));
}

#[test]
fn an_answer_that_waits_never_takes_a_later_sign_ins_place() {
    let tab = World::new().tab(PAGE);
    tab.go_and_come_back("allow");
    *tab.world.network.borrow_mut() = vec![Network::Away];
    assert_eq!(tab.handle_redirect().unwrap_err().code, ErrorCode::Network);
    // The user doesn't wait for it and signs in anew.
    let tab = tab.signed_in();
    let token = tab.token().unwrap();
    let tab = tab.reload();
    let asked = tab.world.requests.borrow().len();
    assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
    assert_eq!(tab.world.requests.borrow().len(), asked);
    assert!(tab.is_good(&token) && tab.is_good(&tab.token().unwrap()));
}

#[test]
fn s30_no_answer_that_waits_undoes_a_sign_out() {
    for ending in [Client::sign_out, Client::revoke] {
        let tab = World::new().tab(PAGE).signed_in();
        tab.go_and_come_back("allow");
        *tab.world.network.borrow_mut() = vec![Network::Away];
        assert_eq!(tab.handle_redirect().unwrap_err().code, ErrorCode::Network);
        tab.drive(ending(&tab.client)).unwrap();
        let tab = tab.reload();
        let asked = tab.world.requests.borrow().len();
        assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
        assert!(!tab.client.is_signed_in());
        assert_eq!(tab.world.requests.borrow().len(), asked);
    }
}

#[test]
fn s30_a_sign_out_in_another_tab_forgets_an_answer_that_waits() {
    let world = World::new();
    let first = world.tab(PAGE).signed_in();
    let second = world.tab(PAGE);
    second.go_and_come_back("allow");
    *world.network.borrow_mut() = vec![Network::Away];
    assert_eq!(
        second.handle_redirect().unwrap_err().code,
        ErrorCode::Network
    );
    first.drive(first.client.sign_out()).unwrap();
    second
        .drive(second.client.sync("some-label\u{1f}-"))
        .unwrap();
    let second = second.reload();
    assert_eq!(second.handle_redirect(), Ok(Outcome::Nothing));
    assert!(!second.client.is_signed_in());
}

#[test]
fn an_answer_that_waits_outlasts_the_end_of_a_session_that_nobody_has_left() {
    let world = World::new();
    let tab = world.tab(PAGE);
    tab.go_and_come_back("allow");
    *world.network.borrow_mut() = vec![Network::Away];
    assert!(tab.handle_redirect().is_err());
    tab.drive(tab.client.sync("some-label")).unwrap();
    assert!(matches!(tab.handle_redirect(), Ok(Outcome::SignedIn(_))));
}

#[test]
fn s31_an_answer_that_waits_never_takes_the_place_of_a_later_sign_in_in_another_tab() {
    for gateway in [json!({}), json!({ "accessTokenTtl": 0 })] {
        let world = World::relayed(gateway);
        let first = world.tab(PAGE);
        first.go_and_come_back("allow");
        *world.network.borrow_mut() = vec![Network::Away];
        assert_eq!(
            first.handle_redirect().unwrap_err().code,
            ErrorCode::Network
        );
        world.pass(1.0);
        let second = world.tab(PAGE).signed_in();
        let token = second.token().unwrap();
        let asked = world.requests.borrow().len();
        assert_eq!(first.handle_redirect(), Ok(Outcome::Nothing));
        let first = first.reload();
        assert_eq!(first.handle_redirect(), Ok(Outcome::Nothing));
        assert_eq!(world.requests.borrow().len(), asked);
        assert_eq!(first.token().unwrap(), token);
        assert_eq!(second.token().unwrap(), token);
    }
}

#[test]
fn an_answer_that_waits_on_top_of_a_session_is_still_completed() {
    for gateway in [json!({}), json!({ "accessTokenTtl": 0 })] {
        let world = World::relayed(gateway);
        let other = world.tab(PAGE).signed_in();
        world.pass(1.0);
        let tab = world.tab(PAGE);
        tab.go_and_come_back("allow");
        // A renewal is no later sign-in.
        world.pass(1.0);
        other.drive(other.client.access_token(NEW)).unwrap();
        *world.network.borrow_mut() = vec![Network::Away];
        assert_eq!(tab.handle_redirect().unwrap_err().code, ErrorCode::Network);
        let tab = tab.reload();
        assert!(matches!(tab.handle_redirect(), Ok(Outcome::SignedIn(_))));
        assert!(tab.is_good(&tab.token().unwrap()));
    }
}

#[test]
fn a_denial_ends_an_answer_that_waits_too() {
    let tab = World::new().tab(PAGE);
    tab.go_and_come_back("allow");
    *tab.world.network.borrow_mut() = vec![Network::Away];
    assert_eq!(tab.handle_redirect().unwrap_err().code, ErrorCode::Network);
    *tab.href.borrow_mut() = PAGE.into();
    tab.go_and_come_back("deny");
    assert_eq!(
        tab.handle_redirect().unwrap_err().code,
        ErrorCode::AccessDenied
    );
    let tab = tab.reload();
    assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
    assert!(!tab.client.is_signed_in());
}
