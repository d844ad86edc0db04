//! `/authorize` and `/callback`.

use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{Request, split_url};
use serde_json::json;

use crate::world::*;

#[test]
fn a_user_signs_in_and_the_page_gets_a_token() {
    let mut world = world();
    let begun = world.begin();
    let asked = split_url(&begun.location);
    assert_eq!(asked.origin, GATEWAY);
    let query = Form::parse(asked.query.unwrap());
    assert_eq!(query.first("scope"), Some("DC,MIM"));
    assert!(query.first("code_challenge").is_none());
    let tx = query.first("state").unwrap();
    let callback = format!("{ISSUER}/callback?tx={tx}");
    assert_eq!(query.first("redirect_uri"), Some(callback.as_str()));

    let back = world.consent(&begun, true);
    let answer = world.callback(&back);
    assert_eq!(answer.status, 303);
    let url = location(&answer);
    assert!(
        url.starts_with("https://app.example/signed-in#code="),
        "{url}"
    );
    assert_eq!(answered(&url, "state").as_deref(), Some("app-state"));
    assert_eq!(answered(&url, "iss").as_deref(), Some(ISSUER));

    let code = answered(&url, "code").unwrap();
    let reply = world.exchange(&code, &begun.verifier);
    let tokens = read(&reply);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 172_800);
    assert_eq!(tokens["scope"], "DC MIM");
    assert_eq!(tokens["generation"], 1);
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(tokens["session"].as_str().unwrap().len(), 12);
    assert_eq!(world.gateway.counts().token.authorization_code, 1);
}

#[test]
fn the_answer_comes_in_the_query_unless_the_app_asks_otherwise() {
    let mut world = world();
    let (verifier, form) = world.authorize_query();
    let form: Vec<_> = form
        .iter()
        .filter(|(name, _)| *name != "response_mode" && *name != "redirect_uri")
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    let form = form.iter().fold(Form::new(), |f, (n, v)| f.set(n, v));
    let form = form.set("redirect_uri", "https://app.example/query?own=1");
    let begun = Begun {
        location: location(&world.authorize(&form)),
        verifier,
    };
    let back = world.consent(&begun, true);
    let url = location(&world.callback(&back));
    assert!(
        url.starts_with("https://app.example/query?own=1&code="),
        "{url}"
    );
    // A fragment of its own, so that it inherits none.
    assert!(url.ends_with('#'), "{url}");
}

#[test]
fn a_denial_reaches_the_app_in_the_gateways_words_and_is_no_failure_in_the_log() {
    let mut world = world();
    let begun = world.begin();
    let back = world.consent(&begun, false);
    let url = location(&world.callback(&back));
    assert_eq!(world.last_reason(), "access_denied");
    assert_eq!(answered(&url, "error").as_deref(), Some("access_denied"));
    assert_eq!(answered(&url, "state").as_deref(), Some("app-state"));
    assert_eq!(answered(&url, "iss").as_deref(), Some(ISSUER));
}

#[test]
fn a_gateway_that_keeps_the_state_to_itself_changes_nothing() {
    let mut world = world_with(json!({}), json!({ "echoState": false }));
    let reply = world.sign_in();
    assert_eq!(reply["generation"], 1);
}

#[test]
fn a_gateway_that_compares_redirect_uri_exactly_needs_an_option() {
    let options = json!({ "transactionInRedirectUri": false });
    let mut world = world_with(options, json!({ "redirectUriMatch": "exact" }));
    let reply = world.sign_in();
    assert_eq!(reply["generation"], 1);
}

#[test]
fn a_gateway_that_takes_no_response_type_needs_an_option() {
    let refusing = || json!({ "responseType": "refused" });
    let mut world = world_with(json!({}), refusing());
    let begun = world.begin();
    let back = location(&world.call(&Request::get(&begun.location)).unwrap());
    let answer = world.callback(&back);
    let error = answered(&location(&answer), "error");
    assert_eq!(error.as_deref(), Some("invalid_request"));

    let mut world = world_with(json!({ "sendResponseType": false }), refusing());
    let reply = world.sign_in();
    assert_eq!(reply["generation"], 1);
}

#[test]
fn an_answer_in_the_fragment_gets_a_page_that_says_so() {
    let mut world = world();
    let begun = world.begin();
    let tx = answered(&begun.location, "state").unwrap();
    // The browser keeps the fragment to itself: this is what arrives.
    let response = world.callback(&format!("{ISSUER}/callback?tx={tx}"));
    assert_eq!(response.status, 400);
    let page = String::from_utf8(response.body).unwrap();
    assert!(page.contains("a code in the query"), "{page}");
    assert_eq!(world.last_reason(), "no_answer");
}

#[test]
fn s08_a_transaction_belongs_to_one_browser_and_lives_ten_minutes() {
    let mut world = world();
    let begun = world.begin();
    let back = world.consent(&begun, true);
    let mine = core::mem::take(&mut world.jar);
    assert_eq!(world.callback(&back).status, 400);
    assert_eq!(world.last_reason(), "no_such_transaction");

    // Another browser's transaction is no key to this one's.
    world.begin();
    assert_eq!(world.callback(&back).status, 400);

    // Nor under the name of this one.
    let theirs = world.jar.values().next().unwrap().clone();
    let name = mine.keys().next().unwrap().clone();
    world.jar = [(name, theirs)].into();
    assert_eq!(world.callback(&back).status, 400);

    world.jar = mine;
    world.pass(600_000.0);
    assert_eq!(world.callback(&back).status, 400);
    world.now -= 1.0;
    assert_eq!(world.callback(&back).status, 303);
}

#[test]
fn s08_a_code_from_elsewhere_gets_nowhere() {
    let mut world = world();
    let begun = world.begin();
    let tx = answered(&begun.location, "state").unwrap();
    let other = "A".repeat(22);
    for query in [
        "code=evil".to_owned(),
        "code=evil&state=guess".to_owned(),
        format!("code=evil&state={other}"),
        format!("code=evil&tx={other}"),
        format!("code=evil&tx={tx}&state={other}"),
        format!("code=evil&tx={tx}&tx={tx}"),
        format!("code=evil&error=x&tx={tx}"),
        format!("code=evil&tx={tx}%00"),
        format!("code={}&tx={tx}", "x".repeat(1025)),
    ] {
        let response = world.callback(&format!("{ISSUER}/callback?{query}"));
        assert_eq!(response.status, 400, "{query}");
        assert!(response.headers.get("location").is_none());
    }
    // The true answer still works.
    let back = world.consent(&begun, true);
    assert_eq!(world.callback(&back).status, 303);
}

#[test]
fn s08_a_transaction_takes_one_code_only_and_the_same_one_again() {
    let mut world = world_with(json!({}), json!({ "doubleRedirect": true }));
    let begun = world.begin();
    let tx = answered(&begun.location, "state").unwrap();
    let back = format!("{ISSUER}/callback?tx={tx}&code=c1");
    let first = world.callback(&back);
    world.pass(5000.0);
    let second = world.callback(&back);
    assert_eq!(location(&first), location(&second));
    let other = world.callback(&format!("{ISSUER}/callback?tx={tx}&code=c2"));
    assert_eq!(other.status, 400);
    assert_eq!(world.last_reason(), "second_answer");
    let page = String::from_utf8(other.body).unwrap();
    let link = format!("<a href=\"{REDIRECT_URI}\">Back to the app</a>");
    assert!(page.contains(&link), "{page}");
}

#[test]
fn a_page_leads_back_to_no_app_where_several_use_the_relay() {
    let uris = [REDIRECT_URI, "https://other.example/signed-in"];
    let mut world = world_with(json!({ "redirectUris": uris }), json!({}));
    let response = world.callback(&format!("{ISSUER}/callback?code=c"));
    assert_eq!(response.status, 400);
    let page = String::from_utf8(response.body).unwrap();
    assert!(
        page.contains("Go back to the app") && !page.contains("<a"),
        "{page}"
    );
}

#[test]
fn s08_sign_ins_in_several_tabs_do_not_disturb_each_other() {
    let mut world = world();
    let start = |_| {
        world.pass(1000.0);
        world.begin()
    };
    let tabs: Vec<Begun> = (0..6).map(start).collect();
    assert_eq!(world.jar.len(), 5);
    let backs: Vec<String> = tabs.iter().map(|tab| world.consent(tab, true)).collect();
    // The oldest had to go.
    assert_eq!(world.callback(&backs[0]).status, 400);
    for back in backs[1..].iter().rev() {
        assert_eq!(world.callback(back).status, 303);
    }
}

#[test]
fn s09_redirect_uri_is_compared_exactly() {
    for uri in [
        "https://app.example/Signed-in",
        "https://APP.example/signed-in",
        "https://app.example/signed-in/",
        "https://app.example/signed-in?",
        "https://app.example/signed-in?x=1",
        "https://app.example/signed-in#",
        "https://app.example:443/signed-in",
        "http://app.example/signed-in",
        "https://user@app.example/signed-in",
        "https://app.example.evil.example/signed-in",
        "https://app.example/%73igned-in",
        "https://app.example/x/../signed-in",
        "https://evil.example/signed-in",
        "//app.example/signed-in",
        "javascript:alert(1)",
        "",
    ] {
        let mut world = world();
        let (_, form) = world.authorize_query();
        let form = form.iter().fold(Form::new(), |f, (n, v)| {
            f.set(n, if n == "redirect_uri" { uri } else { v })
        });
        let response = world.authorize(&form);
        assert_eq!(response.status, 400, "{uri}");
        assert!(response.headers.get("location").is_none(), "{uri}");
        assert!(response.headers.get("set-cookie").is_none(), "{uri}");
    }
}

#[test]
fn s10_an_error_is_shown_until_redirect_uri_is_proven() {
    let mut world = world();
    for change in [
        "client_id=other",
        "client_id=key&client_id=key",
        "redirect_uri=x&redirect_uri=x",
    ] {
        let (_, form) = world.authorize_query();
        let name = change.split('=').next().unwrap();
        let rest = form
            .iter()
            .filter(|(n, _)| *n != name)
            .fold(Form::new(), |f, (n, v)| f.set(n, v))
            .encode();
        let response = world.send(Request::get(format!("{ISSUER}/authorize?{rest}&{change}")));
        assert_eq!(response.status, 400, "{change}");
        assert!(response.headers.get("location").is_none());
        let page = String::from_utf8(response.body).unwrap();
        assert!(
            page.starts_with("<!doctype html>")
                && page.contains("<main><h1>This sign-in can&#39;t start</h1>")
        );
    }
}

#[test]
fn s14_and_other_errors_go_to_the_app_once_redirect_uri_is_proven() {
    let verifier = "x".repeat(43);
    let long = "s".repeat(513);
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", verifier.as_str(), "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("scope", "DC TL", "invalid_scope"),
        ("scope", "\"", "invalid_scope"),
        ("response_mode", "form_post", "invalid_request"),
        ("custom_param", "odd", "invalid_request"),
        ("request", "x", "request_not_supported"),
        (
            "request_uri",
            "https://x.example",
            "request_uri_not_supported",
        ),
        ("state", long.as_str(), "invalid_request"),
    ] {
        let mut world = world();
        let (_, form) = world.authorize_query();
        let form = form
            .iter()
            .filter(|(n, _)| *n != name)
            .fold(Form::new(), |f, (n, v)| f.set(n, v))
            .set(name, value);
        let response = world.authorize(&form);
        assert_eq!(response.status, 303, "{name}={value}");
        let url = location(&response);
        assert!(url.starts_with(REDIRECT_URI), "{url}");
        assert_eq!(
            answered(&url, "error").as_deref(),
            Some(error),
            "{name}={value}"
        );
        assert_eq!(answered(&url, "iss").as_deref(), Some(ISSUER));
        let state = (name != "state").then(|| "app-state".to_owned());
        assert_eq!(answered(&url, "state"), state);
        assert!(response.headers.get("set-cookie").is_none());
    }
}

#[test]
fn s11_redirects_are_never_cached_and_never_repeat_a_body() {
    let mut world = world();
    let (_, form) = world.authorize_query();
    let start = world.authorize(&form);
    let begun = Begun {
        location: location(&start),
        verifier: String::new(),
    };
    let back = world.consent(&begun, true);
    let end = world.callback(&back);
    assert_eq!((start.status, end.status), (302, 303));
    for response in [start, end] {
        assert_eq!(response.headers.get("cache-control"), Some("no-store"));
        assert_eq!(response.headers.get("referrer-policy"), Some("no-referrer"));
        assert_eq!(
            response.headers.get("x-content-type-options"),
            Some("nosniff")
        );
        assert_eq!(response.headers.get("vary"), Some("Cookie"));
        // No script has business here (S17).
        assert!(
            response
                .headers
                .iter()
                .all(|(n, _)| !n.starts_with("access-control"))
        );
    }
}

#[test]
fn nothing_from_outside_becomes_markup() {
    let mut world = world();
    let begun = world.begin();
    let tx = answered(&begun.location, "state").unwrap();
    let script = "%3Cscript%3Ealert(1)%3C/script%3E";
    let denial =
        format!("{ISSUER}/callback?tx={tx}&error={script}&error_description={script}%22%0d%0aX:y");
    let url = location(&world.callback(&denial));
    assert_eq!(answered(&url, "error").as_deref(), Some("server_error"));
    assert!(!url.contains(['<', '\r', '\n']), "{url}");
    for path in [
        "/authorize?client_id=",
        "/callback?code=x&state=",
        "/callback?",
    ] {
        let page = world.send(Request::get(format!("{ISSUER}{path}{script}")));
        assert!(!String::from_utf8_lossy(&page.body).contains("<script"));
        assert!(page.headers.get("content-security-policy").is_some());
    }
}

#[test]
fn the_metadata_is_true() {
    let mut world = world();
    let url = "https://app.example/.well-known/oauth-authorization-server/oauth";
    let metadata = read(&world.send(Request::get(url)));
    assert_eq!(metadata["issuer"], ISSUER);
    assert_eq!(metadata["token_endpoint"], format!("{ISSUER}/token"));
    assert_eq!(
        metadata["token_endpoint_auth_methods_supported"],
        json!(["none"])
    );
    assert_eq!(
        world.send(Request::get(format!("{ISSUER}/health"))).status,
        200
    );
    for path in ["", "/", "/health/", "/Token", "/apix", "/api"] {
        let response = world.send(Request::get(format!("{ISSUER}{path}")));
        assert_eq!(refusal(&response).0, 404, "{path}");
    }
    assert_eq!(
        world
            .send(Request::get("https://app.example/oauthority/health"))
            .status,
        404
    );
}

#[test]
fn the_gateways_own_word_for_a_no_reaches_the_app() {
    let mut world = world();
    let begun = world.begin();
    let tx = answered(&begun.location, "state").unwrap();
    let denial = format!("{ISSUER}/callback?tx={tx}&error=user_denied");
    let url = location(&world.callback(&denial));
    assert_eq!(answered(&url, "error").as_deref(), Some("user_denied"));
}

#[test]
fn s17_no_script_reads_what_a_navigation_gets_whatever_it_is() {
    let mut world = world();
    let long = format!("{ISSUER}/authorize?state={}", "s".repeat(8192));
    for (method, url, status) in [
        ("POST", format!("{ISSUER}/authorize"), 405),
        ("POST", format!("{ISSUER}/callback"), 405),
        ("GET", long, 414),
        ("GET", format!("{ISSUER}/authorize"), 400),
        ("GET", format!("{ISSUER}/callback?code=x"), 400),
    ] {
        let mut request = Request::get(url);
        request.method = method.into();
        request.headers.append("origin", APP);
        let response = world.send(request);
        assert_eq!(response.status, status);
        let mut names = response.headers.iter().map(|(name, _)| name);
        assert!(!names.any(|name| name.starts_with("access-control")));
    }
}
