//! Whose session it is: after a sign-out, and after another sign-in.

use att_oauth::protocol::ErrorCode;
use att_oauth::protocol::http::{Request, Response};
use att_oauth::session::{Event, Outcome, Reply, Wanted};
use serde_json::json;

use crate::world::{self, Network, Tab, World};
use crate::{PAGE, renewals, short_lived};

#[test]
fn s31_a_tab_whose_place_was_taken_is_told_and_never_handed_the_others_token() {
    let world = short_lived();
    let ada = world.tab(PAGE).signed_in();
    ada.token().unwrap();
    let other = world.tab(PAGE).signed_in();
    let others_token = other.token().unwrap();
    // Whether it hears of it or not.
    assert_eq!(ada.token().unwrap_err().code, ErrorCode::SessionMismatch);
    assert_eq!(ada.events.borrow().last(), Some(&Event::Change));
    assert!(!ada.client.is_signed_in());
    assert_eq!(ada.token().unwrap_err().code, ErrorCode::SessionMismatch);
    // The page looks anew.
    let ada = ada.reload();
    ada.handle_redirect().unwrap();
    assert_eq!(ada.token().unwrap(), others_token);
}

#[test]
fn s31_the_relay_says_409_to_a_page_that_expects_another_session() {
    let world = short_lived();
    let ada = world.tab(PAGE).signed_in();
    world.pass(700.0);
    let mut task = ada.client.access_token(Wanted::default());
    ada.drive_to_request(&mut task);
    let label = label_of(&ada);
    world.tab(PAGE).signed_in();
    let mut late = Request::form(
        "https://app.example/oauth/token",
        "client_id=key&grant_type=refresh_token".into(),
    );
    late.headers.append("att-oauth-session", label);
    late.headers.append("origin", world::relay::APP);
    let reply = world.relay().send(late);
    assert_eq!(reply.status, 409);
    let error = ada.drive_on(&mut task, Reply::Response(reply)).unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionMismatch);
}

#[test]
fn a_sign_in_over_another_ends_the_earlier_session_at_the_gateway() {
    let world = World::relayed(json!({}));
    let first = world.tab(PAGE).signed_in();
    let token = first.token().unwrap();
    let second = world.tab(PAGE).signed_in();
    assert!(!first.is_good(&token));
    assert!(second.is_good(&second.token().unwrap()));
}

#[test]
fn s30_revoking_while_the_gateway_is_down_signs_out_and_is_made_good_later() {
    let tab = World::relayed(json!({})).tab(PAGE).signed_in();
    let token = tab.token().unwrap();
    tab.world
        .relay()
        .fault(json!({ "kind": "unavailable", "endpoint": "revoke", "times": 3 }));
    tab.drive(tab.client.revoke()).unwrap();
    assert!(!tab.client.is_signed_in());
    assert!(tab.is_good(&token));
    tab.world.pass(3600.0);
    assert!(!tab.is_good(&token));
    assert_eq!(tab.token().unwrap_err().code, ErrorCode::LoginRequired);
}

#[test]
fn s31_a_page_that_was_signed_out_takes_up_no_other_session_until_it_looks_again() {
    let world = short_lived();
    let ada = world.tab(PAGE).signed_in();
    ada.token().unwrap();
    ada.drive(ada.client.sign_out()).unwrap();
    let other = world.tab(PAGE).signed_in();
    assert_eq!(ada.token().unwrap_err().code, ErrorCode::SessionMismatch);
    assert!(!ada.client.is_signed_in());
    ada.handle_redirect().unwrap();
    assert_eq!(ada.token().unwrap(), other.token().unwrap());
}

#[test]
fn s30_a_sign_out_that_the_relay_missed_is_made_good_at_the_next_load() {
    let tab = World::relayed(json!({})).tab(PAGE).signed_in();
    *tab.world.network.borrow_mut() = vec![Network::Away];
    tab.drive(tab.client.sign_out()).unwrap();
    assert!(!tab.client.is_signed_in());
    assert_eq!(tab.token().unwrap_err().code, ErrorCode::LoginRequired);
    assert_eq!(tab.world.relay().gateway.counts().revoke, 0);
    // The page is gone, another one comes.
    let tab = tab.reload();
    assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
    assert!(!tab.client.is_signed_in());
    *tab.world.network.borrow_mut() = vec![Network::Says(503)];
    assert!(tab.drive(tab.client.settle()).is_err());
    assert_eq!(tab.drive(tab.client.settle()), Ok(Outcome::Nothing));
    assert_eq!(tab.world.relay().gateway.counts().revoke, 1);
    let asked = tab.world.requests.borrow().len();
    assert_eq!(tab.drive(tab.client.settle()), Ok(Outcome::Nothing));
    assert_eq!(tab.world.requests.borrow().len(), asked, "it is paid");
}

#[test]
fn a_sign_out_that_is_owed_hinders_no_sign_in() {
    let tab = World::relayed(json!({})).tab(PAGE).signed_in();
    *tab.world.network.borrow_mut() = vec![Network::Away];
    tab.drive(tab.client.sign_out()).unwrap();
    let tab = tab.reload().signed_in();
    assert!(tab.is_good(&tab.token().unwrap()));
    tab.drive(tab.client.settle()).unwrap();
    assert!(tab.is_good(&tab.token().unwrap()));
}

#[test]
fn a_page_whose_record_is_behind_the_cookie_takes_the_newer_session_up() {
    let world = short_lived();
    world.tab(PAGE).signed_in();
    // The reply to a second sign-in set its cookie, and the page died before it stored the session.
    world.tab(PAGE).signs_in_and_dies_over_the_reply();
    let fresh = world.tab(PAGE);
    fresh.handle_redirect().unwrap();
    assert!(fresh.is_good(&fresh.token().unwrap()));
    assert_eq!(renewals(&world), 0);
}

#[test]
fn s31_a_page_that_shows_somebody_never_takes_another_session_up_by_itself() {
    let world = short_lived();
    let first = world.tab(PAGE).signed_in();
    first.token().unwrap();
    world.tab(PAGE).signs_in_and_dies_over_the_reply();
    world.pass(700.0);
    assert_eq!(first.token().unwrap_err().code, ErrorCode::SessionMismatch);
    assert_eq!(first.token().unwrap_err().code, ErrorCode::SessionMismatch);
    first.handle_redirect().unwrap();
    assert!(first.is_good(&first.token().unwrap()), "it has looked");
}

#[test]
fn s30_a_tab_that_keeps_its_own_record_hears_whose_session_ended() {
    let world = short_lived();
    let first = world.tab(PAGE).signed_in();
    first.token().unwrap();
    let label = world.stored_label();
    first.drive(first.client.sync("AAAAAAAAAAAA")).unwrap();
    assert!(first.client.is_signed_in());
    first.drive(first.client.sync(&label)).unwrap();
    assert!(!first.client.is_signed_in());
    assert_eq!(first.token().unwrap_err().code, ErrorCode::LoginRequired);
}

#[test]
fn s31_a_page_whose_session_a_later_sign_in_has_ended_is_told_of_that() {
    let world = short_lived();
    let first = world.tab(PAGE).signed_in();
    let mut renewal = first.client.access_token(Wanted {
        renew: true,
        ..Wanted::default()
    });
    first.drive_to_request(&mut renewal);
    let second = world.tab(PAGE).signed_in();
    let body = r#"{"error":"invalid_grant"}"#;
    let reply = Reply::Response(Response::new(400).body("application/json", body));
    assert_eq!(
        first.drive_on(&mut renewal, reply).unwrap_err().code,
        ErrorCode::SessionMismatch
    );
    assert_eq!(first.events.borrow().last(), Some(&Event::Change));
    assert!(second.client.is_signed_in());
    assert!(second.is_good(&second.token().unwrap()));
}

fn label_of(tab: &Tab) -> String {
    let Outcome::Api(_, label, _) = tab.drive(tab.client.api_target("/").unwrap()).unwrap() else {
        panic!()
    };
    label
}
