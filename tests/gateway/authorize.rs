//! The way to a consent and back.

use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{Request, split_url};
use serde_json::json;

use crate::world::{
    APP, BASE, CALLBACK, DAY, form, heading, host, host_with, in_query, location, oauth_error,
    send_sms, string, text, ticket,
};

#[test]
fn a_user_signs_in_consents_and_comes_back_with_a_code_and_the_state() {
    let mut host = host();
    let page = host.start("DC,MIM");
    assert_eq!((page.status, heading(&page)), (200, "Sign in"));
    let page = host.sign_in(&page);
    assert_eq!(heading(&page), "Allow Demo &lt;1&gt;?");
    let back = location(&host.submit(&page, &[("action", "allow")]));
    let code = in_query(&back, "code").unwrap();
    assert_eq!(back, format!("{CALLBACK}?code={code}&state=st"));
}

#[test]
fn the_consent_page_names_the_scopes_in_words() {
    let mut host = host();
    let page = host.start("DC,SESSIONS:ADTM");
    let page = host.sign_in(&page);
    for words in [
        "See what your phone is and what it can do",
        "<code>DC</code>",
        "<code>SESSIONS:ADTM</code>",
        "Ada Lovelace",
    ] {
        assert!(text(&page).contains(words), "{words}");
    }
}

#[test]
fn every_page_says_that_it_is_an_emulator_and_is_kept_by_no_cache_or_frame() {
    let mut host = host();
    let sign_in = host.start("DC");
    let consent = host.sign_in(&sign_in);
    let problem = host.authorize(&[("client_id", "nobody")]);
    for page in [sign_in, consent, problem] {
        assert!(text(&page).contains("This is not AT&amp;T"));
        assert_eq!(page.headers.get("cache-control"), Some("no-store"));
        assert_eq!(page.headers.get("x-frame-options"), Some("DENY"));
    }
}

#[test]
fn a_user_signs_in_by_phone_number_in_any_spelling_or_by_user_id() {
    for (user, password, known) in [
        ("4255550101", "engine", true),
        ("+1 425 555 0101", "engine", true),
        ("1-425-555-0101", "engine", true),
        ("ADA", "engine", true),
        (" ada ", "engine", true),
        ("ada", "Engine", false),
        ("ada", "", false),
        ("", "engine", false),
        ("4255550102", "engine", false),
        ("nobody", "engine", false),
        ("x4255550101", "engine", false),
    ] {
        let mut host = host();
        let page = host.start("DC");
        let page = host.submit(
            &page,
            &[
                ("action", "sign_in"),
                ("user", user),
                ("password", password),
            ],
        );
        assert_eq!(heading(&page) != "Sign in", known, "{user}");
        assert_eq!(text(&page).contains(r#"role="alert""#), !known, "{user}");
    }
}

#[test]
fn a_user_may_be_picked_from_the_page_unless_that_is_switched_off() {
    let mut host = host();
    let page = host.start("DC");
    assert!(text(&page).contains("nanosecond"));
    let page = host.submit(&page, &[("action", "pick_1")]);
    assert!(text(&page).contains("Grace Hopper"));

    let mut host = host_with(json!({ "showUsers": false }));
    let page = host.start("DC");
    assert!(!text(&page).contains("nanosecond"));
    assert_eq!(
        heading(&host.submit(&page, &[("action", "pick_1")])),
        "Sign in"
    );
}

#[test]
fn what_a_user_types_comes_back_escaped() {
    let mut host = host();
    let page = host.start("DC");
    let page = host.submit(
        &page,
        &[
            ("action", "sign_in"),
            ("user", "\"><script>x</script>"),
            ("password", "x"),
        ],
    );
    assert!(text(&page).contains("&quot;&gt;&lt;script&gt;x"));
    assert!(!text(&page).contains("<script>"));
}

#[test]
fn a_denial_comes_back_as_access_denied_at_any_stage() {
    for stage in 0..3 {
        let mut host = host();
        let mut page = host.start("DC");
        if stage > 0 {
            page = host.sign_in(&page);
        }
        if stage > 1 {
            host.submit(&page, &[("action", "allow"), ("remember", "on")]);
            page = host.start("DC");
            assert_eq!(heading(&page), "Welcome back");
        }
        let back = location(&host.submit(&page, &[("action", "deny")]));
        assert!(
            back.starts_with(&format!(
                "{CALLBACK}?error=access_denied&error_description="
            )),
            "{back}"
        );
        assert_eq!(in_query(&back, "state").unwrap(), "st");
    }
    let mut host = host_with(json!({ "denialError": "user_denied" }));
    let page = host.start("DC");
    let back = location(&host.submit(&page, &[("action", "deny")]));
    assert_eq!(in_query(&back, "error").unwrap(), "user_denied");
}

#[test]
fn state_is_not_echoed_where_that_is_switched_off() {
    let mut host = host_with(json!({ "echoState": false }));
    assert_eq!(in_query(&host.answer("DC"), "state"), None);
    let page = host.start("DC");
    let back = location(&host.submit(&page, &[("action", "deny")]));
    assert_eq!(in_query(&back, "state"), None);
}

#[test]
fn a_code_is_appended_to_a_query_and_extra_parameters_are_tolerated() {
    for (client, asked, back) in [
        (APP, None, Some("https://app.example/cb?code=")),
        (
            APP,
            Some("https://app.example/cb"),
            Some("https://app.example/cb?code="),
        ),
        (
            APP,
            Some("https://app.example/cb?tx=1"),
            Some("https://app.example/cb?tx=1&code="),
        ),
        ("other", None, Some("https://other.example/cb?own=1&code=")),
        (
            "other",
            Some("https://other.example/cb?own=1&tx=2"),
            Some("https://other.example/cb?own=1&tx=2&code="),
        ),
        ("other", Some("https://other.example/cb"), None),
        ("other", Some("https://other.example/cb?own=12"), None),
        ("other", Some("https://other.example/cb?tx=2&own=1"), None),
        (APP, Some("https://app.example/cb/"), None),
        (APP, Some("https://app.example/CB"), None),
        (APP, Some("http://app.example/cb"), None),
        (APP, Some("https://app.example:443/cb"), None),
        (APP, Some("https://app.example.evil.example/cb"), None),
        (APP, Some("https://app.example@evil.example/cb"), None),
        (APP, Some("https://app.example/cb#x"), None),
        (APP, Some("https://app.example/cb?a=1#x"), None),
        (
            APP,
            Some("https://app.example/cb?a=\r\nset-cookie: x"),
            None,
        ),
        (APP, Some("//app.example/cb"), None),
        (APP, Some("javascript:alert(1)"), None),
    ] {
        let mut host = host();
        let mut query = vec![("client_id", client), ("scope", "DC")];
        query.extend(asked.map(|uri| ("redirect_uri", uri)));
        let page = host.authorize(&query);
        match back {
            Some(back) => {
                let page = host.submit(&page, &[("action", "pick_0")]);
                let location = location(&host.submit(&page, &[("action", "allow")]));
                assert!(location.starts_with(back), "{location}");
            }
            None => {
                assert_eq!(page.status, 400, "{asked:?}");
                assert_eq!(page.headers.get("location"), None);
            }
        }
    }
}

#[test]
fn an_exact_gateway_takes_no_extra_parameters() {
    let mut host = host_with(json!({ "redirectUriMatch": "exact" }));
    let ask = |uri| [("client_id", APP), ("scope", "DC"), ("redirect_uri", uri)];
    assert_eq!(host.authorize(&ask(CALLBACK)).status, 200);
    assert_eq!(
        host.authorize(&ask("https://app.example/cb?tx=1")).status,
        400
    );
}

#[test]
fn an_unproven_app_or_redirect_uri_gets_a_page_and_never_a_redirect() {
    for query in [
        vec![],
        vec![("client_id", "")],
        vec![
            ("client_id", "nobody"),
            ("redirect_uri", "https://evil.example/"),
        ],
        vec![("client_id", APP), ("client_id", APP), ("scope", "DC")],
        vec![
            ("client_id", APP),
            ("redirect_uri", CALLBACK),
            ("redirect_uri", CALLBACK),
        ],
        vec![
            ("client_id", APP),
            ("redirect_uri", "https://evil.example/"),
            ("response_type", "x"),
        ],
    ] {
        let page = host().authorize(&query);
        assert_eq!(
            (page.status, page.headers.get("location")),
            (400, None),
            "{query:?}"
        );
        assert_eq!(heading(&page), "This sign-in can't go on");
    }
}

#[test]
fn other_mistakes_of_the_app_come_back_to_it() {
    for (query, error) in [
        (vec![], "invalid_scope"),
        (vec![("scope", "AAB")], "invalid_scope"),
        (vec![("scope", "DC MIM")], "invalid_scope"),
        (vec![("scope", "DC, MIM")], "invalid_scope"),
        (vec![("scope", "SMS")], "invalid_scope"),
        (vec![("scope", "DC"), ("scope", "MIM")], "invalid_request"),
        (
            vec![("scope", "DC"), ("response_type", "id_token")],
            "unsupported_response_type",
        ),
    ] {
        let query = [vec![("client_id", APP), ("state", "st")], query].concat();
        let back = location(&host().authorize(&query));
        assert_eq!(in_query(&back, "error").unwrap(), error, "{query:?}");
        assert_eq!(in_query(&back, "state").unwrap(), "st");
    }
}

#[test]
fn pkce_nonce_and_prompt_are_ignored_unless_unknown_parameters_are_refused() {
    let query = [
        ("client_id", APP),
        ("scope", "DC"),
        ("code_challenge", "x"),
        ("nonce", "n"),
        ("prompt", "none"),
    ];
    assert_eq!(host().authorize(&query).status, 200);
    let mut strict = host_with(json!({ "unknownParameters": "refused" }));
    let back = location(&strict.authorize(&query));
    assert_eq!(in_query(&back, "error").unwrap(), "invalid_request");
}

#[test]
fn a_custom_param_of_other_words_is_ignored_unless_they_are_refused() {
    let ask = |custom| {
        [
            ("client_id", APP),
            ("scope", "DC"),
            ("custom_param", custom),
        ]
    };
    let both = "suppress_landing_page,bypass_onnetwork_auth";
    assert_eq!(host().authorize(&ask("dark_mode")).status, 200);
    let mut strict = host_with(json!({ "unknownCustomParams": "refused" }));
    assert_eq!(strict.authorize(&ask(both)).status, 200);
    let back = location(&strict.authorize(&ask("suppress_landing_page,dark_mode")));
    assert_eq!(in_query(&back, "error").unwrap(), "invalid_request");
}

#[test]
fn a_response_type_is_refused_where_the_gateway_knows_none() {
    let mut strict = host_with(json!({ "responseType": "refused" }));
    assert!(in_query(&strict.answer("DC"), "code").is_some());
    for response_type in ["code", "token"] {
        let query = [
            ("client_id", APP),
            ("scope", "DC"),
            ("state", "st"),
            ("response_type", response_type),
        ];
        assert_eq!(host().authorize(&query).status, 200);
        let back = location(&strict.authorize(&query));
        assert_eq!(in_query(&back, "error").unwrap(), "invalid_request");
        assert_eq!(in_query(&back, "state").unwrap(), "st");
    }
}

#[test]
fn a_scope_that_needs_no_consent_is_signed_in_for_where_that_is_accepted() {
    let mut host = host_with(json!({ "noConsentScopes": "accepted" }));
    let token = string(&host.pair("DC,SMS"), "access_token");
    assert_eq!(send_sms(&mut host, &token).status, 201);
    // Elsewhere nothing changes.
    let refused = oauth_error(&host.app_token("DC"));
    assert_eq!(refused, (400, "invalid_scope".into()));
}

#[test]
fn a_token_comes_in_the_fragment_when_asked_for_and_opens_an_api() {
    let mut host = host();
    let page = host.authorize(&[
        ("client_id", APP),
        ("scope", "DC"),
        ("state", "st"),
        ("response_type", "token"),
    ]);
    let page = host.sign_in(&page);
    let back = location(&host.submit(&page, &[("action", "allow")]));
    let url = split_url(&back);
    assert_eq!(url.query, None);
    let answer = Form::parse(url.fragment.unwrap());
    for (name, value) in [
        ("token_type", "bearer"),
        ("expires_in", "172800"),
        ("state", "st"),
        ("scope", "DC"),
    ] {
        assert_eq!(answer.first(name), Some(value));
    }
    assert_eq!(answer.first("refresh_token"), None);
    assert_eq!(
        host.device(answer.first("access_token").unwrap()).status,
        200
    );
}

#[test]
fn the_answer_stands_where_the_switch_says() {
    for (answer, in_fragment) in [("fragment", "code"), ("token", "access_token")] {
        let mut host = host_with(json!({ "answer": answer }));
        let back = host.answer("DC");
        let url = split_url(&back);
        assert_eq!(url.query, None);
        assert!(
            Form::parse(url.fragment.unwrap())
                .first(in_fragment)
                .is_some()
        );
    }
}

#[test]
fn the_double_redirect_page_bears_one_code_for_both_deliveries() {
    let mut host = host_with(json!({ "doubleRedirect": true }));
    let page = host.start("DC");
    let page = host.sign_in(&page);
    let page = host.submit(&page, &[("action", "allow")]);
    assert_eq!(page.status, 200);
    let next = page.headers.get("location").unwrap().to_owned();
    let code = in_query(&next, "code").unwrap();
    assert!(text(&page).contains(&format!("?code={code}&amp;state=st")));
    assert!(text(&page).contains("setTimeout(go, 25)"));
    assert_eq!(host.live().codes, 1);
}

#[test]
fn a_form_that_is_sent_twice_gives_the_same_answer() {
    let mut host = host();
    let page = host.start("DC");
    let page = host.sign_in(&page);
    let first = location(&host.submit(&page, &[("action", "allow")]));
    assert_eq!(location(&host.submit(&page, &[("action", "allow")])), first);
    assert_eq!(location(&host.submit(&page, &[("action", "deny")])), first);
    assert_eq!(host.live().codes, 1);
}

#[test]
fn a_form_from_elsewhere_or_without_its_ticket_or_out_of_turn_grants_nothing() {
    let foreign = |name: &str, value: &str| {
        let mut host = host();
        let page = host.start("DC");
        let page = host.sign_in(&page);
        let body = form(&[("action", "allow"), ("ticket", &ticket(&page))]).encode();
        let mut request = Request::form(format!("{BASE}/oauth/v4/authorize"), body);
        request.headers.append(name, value);
        host.browse(request).status
    };
    assert_eq!(foreign("origin", BASE), 302);
    assert_eq!(foreign("origin", "http://evil.example"), 403);
    assert_eq!(foreign("origin", "null"), 403);
    assert_eq!(foreign("sec-fetch-site", "cross-site"), 403);

    let mut host = host();
    let page = host.start("DC");
    assert_eq!(
        heading(&host.submit(&page, &[("action", "allow")])),
        "Sign in"
    );
    assert_eq!(
        heading(&host.submit(&page, &[("action", "continue")])),
        "Sign in"
    );
    let body = form(&[("action", "allow"), ("ticket", "x")]).encode();
    let request = Request::form(format!("{BASE}/oauth/v4/authorize"), body);
    assert_eq!(host.browse(request).status, 400);
    host.now += DAY;
    assert_eq!(host.sign_in(&page).status, 400);
    assert_eq!(host.live().codes, 0);
}
