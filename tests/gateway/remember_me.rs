//! What a browser is remembered by.

use serde_json::json;

use crate::world::{APP, DAY, heading, host, host_with, in_query, location, remembered, text};

#[test]
fn remember_me_is_ticked_by_default() {
    for (options, ticked) in [(json!({}), true), (json!({ "rememberMe": false }), false)] {
        let mut host = host_with(options);
        let page = host.start("DC");
        let page = host.sign_in(&page);
        assert_eq!(text(&page).contains(" checked>"), ticked);
    }
}

#[test]
fn a_remembered_user_sees_the_switch_user_page_and_is_not_asked_again() {
    let mut host = remembered("DC");
    let page = host.start("DC");
    assert_eq!(heading(&page), "Welcome back");
    assert!(text(&page).contains("Continue as Ada Lovelace"));
    let back = location(&host.submit(&page, &[("action", "continue")]));
    assert!(in_query(&back, "code").is_some());
}

#[test]
fn suppress_landing_page_goes_straight_back() {
    let mut host = remembered("DC,MIM");
    let custom = "bypass_onnetwork_auth,suppress_landing_page";
    let query = [
        ("client_id", APP),
        ("scope", "DC"),
        ("custom_param", custom),
    ];
    assert!(in_query(&location(&host.authorize(&query)), "code").is_some());
}

#[test]
fn a_remembered_user_is_asked_for_what_was_not_granted_yet() {
    let mut host = remembered("DC");
    let page = host.start("DC,MIM");
    let page = host.submit(&page, &[("action", "continue")]);
    assert!(heading(&page).starts_with("Allow"));
    let query = [
        ("client_id", APP),
        ("scope", "MIM"),
        ("custom_param", "suppress_landing_page"),
    ];
    assert!(heading(&host.authorize(&query)).starts_with("Allow"));
    let query = [
        ("client_id", "other"),
        ("scope", "DC"),
        ("custom_param", "suppress_landing_page"),
    ];
    assert!(heading(&host.authorize(&query)).starts_with("Allow"));
}

#[test]
fn switching_the_user_forgets_the_first_one() {
    let mut host = remembered("DC");
    let page = host.start("DC");
    let page = host.submit(&page, &[("action", "switch")]);
    assert_eq!(heading(&page), "Sign in");
    assert_eq!(host.cookie, None);
    let page = host.submit(&page, &[("action", "pick_1")]);
    host.submit(&page, &[("action", "allow"), ("remember", "on")]);
    assert!(text(&host.start("DC")).contains("Continue as Grace Hopper"));
}

#[test]
fn without_the_tick_nothing_is_remembered() {
    let mut host = host();
    host.answer("DC");
    assert_eq!(host.cookie, None);
    assert_eq!(heading(&host.start("DC")), "Sign in");
}

#[test]
fn the_cookie_is_out_of_reach_of_scripts_and_lasts_its_time() {
    let mut host = host();
    let page = host.start("DC");
    let page = host.sign_in(&page);
    let response = host.submit(&page, &[("action", "allow"), ("remember", "on")]);
    let line = response.headers.get("set-cookie").unwrap();
    for part in [
        "; Path=/oauth/v4/",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Max-Age=7776000",
    ] {
        assert!(line.contains(part), "{line}");
    }
    host.now += 90.0 * DAY;
    assert_eq!(heading(&host.start("DC")), "Sign in");
}

#[test]
fn remember_me_lasts_as_long_as_the_options_say() {
    let mut host = host_with(json!({ "rememberMeTtl": 60 }));
    let page = host.start("DC");
    let page = host.sign_in(&page);
    let response = host.submit(&page, &[("action", "allow"), ("remember", "on")]);
    let line = response.headers.get("set-cookie").unwrap();
    assert!(line.contains("; Max-Age=60;"), "{line}");
    host.now += 59_999.0;
    assert_eq!(heading(&host.start("DC")), "Welcome back");
    host.now += 1.0;
    assert_eq!(heading(&host.start("DC")), "Sign in");
}

#[test]
fn the_phone_number_of_the_network_signs_in_unless_bypassed() {
    let mut host = host_with(json!({ "networkUser": "425-555-0102" }));
    let page = host.start("DC");
    assert!(heading(&page).starts_with("Allow"));
    assert!(
        text(&page).contains("Grace Hopper")
            && text(&page).contains("Recognised by the phone number")
    );
    let query = [
        ("client_id", APP),
        ("scope", "DC"),
        ("custom_param", "bypass_onnetwork_auth"),
    ];
    assert_eq!(heading(&host.authorize(&query)), "Sign in");
}
