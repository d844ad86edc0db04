//! The client's flows, whole, against the gateway emulator: no wasm, no network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod world;

use std::rc::Rc;

use att_oauth::protocol::ErrorCode;
use att_oauth::protocol::authorization::ResponseType;
use att_oauth::protocol::http::Response;
use att_oauth::session::{
    Client, Effect, Event, Options, Outcome, Reply, SignIn, Step, Store, Wanted,
};
use serde_json::json;
use world::{CALLBACK, Network, Tab, World};

const PAGE: &str = "https://app.example/inbox?folder=1#top";

/// A token other than the kept one.
const NEW: Wanted = Wanted {
    min_validity: None,
    rejected_generation: None,
    renew: true,
};

#[test]
fn a_user_signs_in_and_comes_back_to_where_they_were() {
    let tab = World::new().tab(PAGE);
    assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
    tab.go_and_come_back("allow");
    assert!(tab.href.borrow().starts_with(&format!("{CALLBACK}?code=")));
    assert_eq!(
        tab.handle_redirect(),
        Ok(Outcome::SignedIn(Some("/inbox?folder=1#top".into())))
    );
    assert_eq!(*tab.href.borrow(), CALLBACK);
    assert!(tab.client.is_signed_in());
    assert!(tab.is_good(&tab.token().unwrap()));
    assert_eq!(tab.client.scope().unwrap().to_spaces(), "DC");
    assert_eq!(*tab.events.borrow(), [Event::Change]);
}

#[test]
fn the_same_redirect_gives_the_same_outcome() {
    let tab = World::new().tab(PAGE);
    tab.go_and_come_back("allow");
    let answer = tab.href.borrow().clone();
    let first = tab.handle_redirect();
    assert_eq!(tab.handle_redirect(), first);
    assert_eq!(tab.drive(tab.client.handle_redirect(&answer)), first);
    assert_eq!(tab.world.requests.borrow().len(), 1);
}

#[test]
fn s16_an_answer_delivered_twice_ends_in_one_exchange() {
    let tab = World::new().tab(PAGE);
    tab.go_and_come_back("allow");
    let answer = tab.href.borrow().clone();
    tab.handle_redirect().unwrap();
    // The second delivery replaces the page.
    let tab = tab.reload();
    *tab.href.borrow_mut() = answer.clone();
    let returned = Outcome::SignedIn(Some("/inbox?folder=1#top".into()));
    assert_eq!(tab.handle_redirect(), Ok(returned));
    assert!(tab.client.is_signed_in());
    assert_eq!(*tab.href.borrow(), CALLBACK);
    assert_eq!(tab.world.requests.borrow().len(), 1);
    // But nobody is sent on who has signed out meanwhile.
    tab.drive(tab.client.sign_out()).unwrap();
    let tab = tab.reload();
    *tab.href.borrow_mut() = answer;
    assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
}

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
fn a_failure_that_passes_keeps_the_user_signed_in() {
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
fn s13_the_answer_has_left_the_address_bar_before_the_first_request() {
    let tab = World::new().tab(PAGE);
    tab.go_and_come_back("allow");
    let href = tab.href.borrow().clone();
    tab.drive_to_request(&mut tab.client.handle_redirect(&href));
    assert_eq!(*tab.href.borrow(), CALLBACK);
    // A reload in mid-flow still ends signed in.
    let tab = tab.reload();
    assert_eq!(
        tab.handle_redirect(),
        Ok(Outcome::SignedIn(Some("/inbox?folder=1#top".into())))
    );
    assert!(tab.is_good(&tab.token().unwrap()));
}

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
fn a_sign_in_after_a_denial_comes_back_to_where_the_first_was_to() {
    let tab = World::new().tab(PAGE);
    let asked = SignIn {
        return_to: Some("/inbox?folder=1#top".into()),
        ..SignIn::default()
    };
    tab.go_for(asked, "deny");
    assert!(tab.handle_redirect().is_err());
    // From the callback page, where the app offers it.
    tab.go_and_come_back("allow");
    let back = Ok(Outcome::SignedIn(Some("/inbox?folder=1#top".into())));
    assert_eq!(tab.handle_redirect(), back);
}

#[test]
fn a_denial_is_told_once_and_again() {
    let tab = World::new().tab(PAGE);
    tab.go_and_come_back("deny");
    let error = tab.handle_redirect().unwrap_err();
    assert_eq!(
        (error.code, error.error.as_deref()),
        (ErrorCode::AccessDenied, Some("access_denied"))
    );
    assert_eq!(*tab.href.borrow(), CALLBACK);
    assert_eq!(
        tab.handle_redirect().unwrap_err().code,
        ErrorCode::AccessDenied
    );
    assert!(!tab.client.is_signed_in());
    let tab = tab.reload();
    assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
}

#[test]
fn s12_a_forged_answer_changes_nothing_and_the_true_one_still_works() {
    let tab = World::new().tab(PAGE);
    tab.go_and_come_back("allow");
    let answer = tab.href.borrow().clone();
    let state = answer.split("state=").nth(1).unwrap().to_owned();
    for forged in [
        "code=evil".to_owned(),
        format!("code=evil&state={}x", state),
        format!("code=evil&error=e&state={state}"),
        format!("code=evil&code=evil2&state={state}"),
        format!("code=evil&state={state}&state={state}"),
    ] {
        let url = format!("{CALLBACK}?{forged}");
        let error = tab.drive(tab.client.handle_redirect(&url)).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidAnswer, "{forged}");
    }
    let token = format!("{CALLBACK}#access_token=evil&token_type=bearer&state={state}");
    assert_eq!(
        tab.drive(tab.client.handle_redirect(&token))
            .unwrap_err()
            .code,
        ErrorCode::InvalidAnswer
    );
    assert_eq!(tab.world.requests.borrow().len(), 0);
    assert!(matches!(tab.handle_redirect(), Ok(Outcome::SignedIn(_))));
}

#[test]
fn an_answer_to_another_client_or_page_is_left_alone() {
    let tab = World::new().tab(PAGE);
    for href in [
        "https://app.example/search?code=promo&state=x.y",
        "https://app.example/in?code=c&state=AAAA.other-client",
        "https://other.example/in?code=c",
    ] {
        *tab.href.borrow_mut() = href.into();
        assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing), "{href}");
        assert_eq!(*tab.href.borrow(), href);
    }
}

#[test]
fn sign_ins_in_several_tabs_and_twice_in_one_do_not_disturb_each_other() {
    let world = World::new();
    let (a, b) = (world.tab(PAGE), world.tab("https://app.example/other"));
    a.go_and_come_back("allow");
    b.go_and_come_back("allow");
    // A begins once more, then goes back in its history to the first answer.
    let first = a.href.borrow().clone();
    *a.href.borrow_mut() = PAGE.into();
    a.go_and_come_back("allow");
    *a.href.borrow_mut() = first;
    assert!(matches!(a.handle_redirect(), Ok(Outcome::SignedIn(_))));
    assert_eq!(
        b.handle_redirect(),
        Ok(Outcome::SignedIn(Some("/other".into())))
    );
}

#[test]
fn a_code_in_the_fragment_is_read_too() {
    let tab = World::with(json!({ "answer": "fragment" })).tab(PAGE);
    tab.go_and_come_back("allow");
    assert!(tab.href.borrow().contains("#code="));
    assert!(matches!(tab.handle_redirect(), Ok(Outcome::SignedIn(_))));
}

#[test]
fn a_gateway_without_state_is_tolerated_only_where_that_is_allowed() {
    let world = World::with(json!({ "echoState": false }));
    let tab = world.tab(PAGE);
    tab.go_and_come_back("allow");
    assert_eq!(
        tab.handle_redirect().unwrap_err().code,
        ErrorCode::InvalidAnswer
    );
    let tab = world.tab_with(PAGE, |options| {
        options.dangerously_allow_missing_state = true
    });
    tab.go_and_come_back("allow");
    assert!(matches!(tab.handle_redirect(), Ok(Outcome::SignedIn(_))));
}

#[test]
fn a_token_in_the_fragment_is_this_pages_alone() {
    let world = World::with(json!({ "answer": "token" }));
    let more = |options: &mut Options| options.response_type = ResponseType::Token;
    let tab = world.tab_with(PAGE, more);
    tab.go_and_come_back("allow");
    assert!(tab.href.borrow().contains("#access_token="));
    assert!(matches!(tab.handle_redirect(), Ok(Outcome::SignedIn(_))));
    assert_eq!(*tab.href.borrow(), CALLBACK);
    assert!(tab.is_good(&tab.token().unwrap()));
    assert_eq!(tab.world.requests.borrow().len(), 0);
    let tab = tab.reload_with(more);
    assert_eq!(tab.handle_redirect(), Ok(Outcome::Nothing));
    assert!(!tab.client.is_signed_in());
}

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

/// Worlds with a relay, in each custody.
fn custodies() -> impl Iterator<Item = Rc<World>> {
    ["cookie", "handle"]
        .map(|custody| World::relayed_with(json!({ "custody": custody }), json!({})))
        .into_iter()
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
        assert_eq!(world.stored_label(), label);
        assert_eq!(second.token().unwrap(), token);
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
fn s10_return_to_is_refused_by_name() {
    let tab = World::new().tab(PAGE);
    for path in ["//evil", "", "/a\x1fb"] {
        let options = SignIn {
            return_to: Some(path.into()),
            ..SignIn::default()
        };
        let error = tab
            .client
            .authorization_url(options, PAGE, [0; 78])
            .and_then(|task| tab.drive(task))
            .unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidOption);
        assert!(error.message().starts_with("returnTo"), "{path}");
    }
}

#[test]
fn nothing_that_parts_texts_comes_in_by_a_path_or_a_record() {
    let tab = World::new().tab(PAGE);
    for path in ["rest", "/a\x1fb", "/a\x1eD", "/a\nb"] {
        let error = tab.client.api_target(path).map(drop).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidOption, "{path:?}");
    }
    for (label, is_one) in [("a\x1eb", false), ("a\x1fb", false), ("a", true)] {
        let record = format!("{label}\n1\nDC\n9999999999999\n1000\n\n\n1\n");
        let mut task = tab.client.handle_redirect(PAGE);
        let mut reply = Reply::Done;
        while let Step::Effect(effect) = task.resume(reply, 0.0) {
            reply = match effect {
                Effect::Load(Store::Session) => Reply::Loaded(Some(record.clone())),
                Effect::Load(Store::Pending) => Reply::Loaded(None),
                _ => Reply::Done,
            };
        }
        assert_eq!(tab.client.is_signed_in(), is_one, "{label:?}");
    }
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
    second.drive(second.client.sync("some-label")).unwrap();
    let second = second.reload();
    assert_eq!(second.handle_redirect(), Ok(Outcome::Nothing));
    assert!(!second.client.is_signed_in());
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
