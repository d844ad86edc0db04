//! The way out and the way back.

use att_oauth::protocol::ErrorCode;
use att_oauth::protocol::authorization::ResponseType;
use att_oauth::session::{Effect, Event, Options, Outcome, Reply, SignIn, Step, Store};
use serde_json::json;

use crate::PAGE;
use crate::world::{CALLBACK, World};

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
fn s13_the_answer_leaves_what_the_address_bar_says_by_then_and_no_other_page() {
    for (made_of_it, left) in [
        ("{}&tab=1", "https://app.example/in?tab=1"),
        (
            "https://app.example/home?tab=2#x",
            "https://app.example/home?tab=2#x",
        ),
    ] {
        let tab = World::new().tab(PAGE);
        tab.go_and_come_back("allow");
        let href = tab.href.borrow().clone();
        let task = tab.client.handle_redirect(&href);
        *tab.href.borrow_mut() = made_of_it.replace("{}", &href);
        assert!(matches!(tab.drive(task), Ok(Outcome::SignedIn(_))));
        assert_eq!(*tab.href.borrow(), left);
    }
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
