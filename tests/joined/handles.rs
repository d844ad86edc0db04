//! A relay on another site.

use std::rc::Rc;

use att_oauth::protocol::ErrorCode;
use att_oauth::protocol::http::Request;
use att_oauth::session::Outcome;
use serde_json::json;

use crate::world::{self, Network, Tab, World};
use crate::{PAGE, renewals};

/// A relay on another site: the client keeps a handle, and no cookie counts.
fn handles() -> Rc<World> {
    World::relayed_with(
        json!({ "custody": "handle" }),
        json!({ "accessTokenTtl": 600 }),
    )
}

#[test]
fn in_custody_handle_a_user_signs_in_reloads_renews_calls_apis_and_revokes() {
    let tab = handles().tab(PAGE).signed_in();
    let token = tab.token().unwrap();
    let tab = tab.reload();
    tab.handle_redirect().unwrap();
    assert_eq!(tab.token().unwrap(), token);
    assert_eq!(renewals(&tab.world), 0, "a reload costs no renewal");
    for _ in 0..4 {
        tab.world.pass(700.0);
        assert!(tab.is_good(&tab.token().unwrap()));
    }
    assert_eq!(renewals(&tab.world), 4);
    let Ok(Outcome::Api(url, label, Some(handle))) =
        tab.drive(tab.client.api_target("/rest/2/Devices/Info").unwrap())
    else {
        panic!()
    };
    let mut call = Request::get(url);
    call.headers.append("origin", world::relay::APP);
    call.headers.append("att-oauth-session", label);
    let bearer = format!("Bearer {}", handle.expose());
    call.headers.append("authorization", bearer);
    assert_eq!(tab.world.relay().send(call).status, 200);
    let token = tab.token().unwrap();
    tab.drive(tab.client.revoke()).unwrap();
    assert!(!tab.is_good(&token));
}

#[test]
fn s29_in_custody_handle_five_tabs_and_lost_replies_cost_no_session() {
    let world = handles();
    let first = world.tab(PAGE).signed_in();
    let tabs: Vec<Tab> = (0..4).map(|_| world.tab(PAGE)).collect();
    for round in 1..=3 {
        world.pass(700.0);
        *world.network.borrow_mut() = vec![Network::LosesReply];
        assert_eq!(first.token().unwrap_err().code, ErrorCode::Timeout);
        let token = first.token().unwrap();
        for tab in &tabs {
            tab.handle_redirect().unwrap();
            assert_eq!(tab.token().unwrap(), token);
        }
        assert_eq!(renewals(&world), round);
    }
}

#[test]
fn s20_in_custody_handle_a_stolen_handle_that_is_used_late_ends_the_session_for_both() {
    let world = handles();
    let tab = world.tab(PAGE).signed_in();
    tab.token().unwrap();
    let stolen = world.stored_handle();
    for _ in 0..2 {
        world.pass(700.0);
        tab.token().unwrap();
    }
    let response = world.relay().refresh(&[("refresh_token", stolen.as_str())]);
    assert_eq!(response.status, 400);
    world.pass(700.0);
    assert_eq!(tab.token().unwrap_err().code, ErrorCode::LoginRequired);
    assert!(!tab.client.is_signed_in());
}
