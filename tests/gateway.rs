//! The gateway emulator against `gateway.md`: each fact, through the doors that a browser and a
//! relay use.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use att_oauth::gateway::{Break, Endpoint, FaultKind, FaultRule, Gateway, Live, Options};
use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{FORM, Request, Response, split_url};
use serde_json::{Value, json};

const BASE: &str = "http://127.0.0.1:8402";
const APP: &str = "app key";
const SECRET: &str = "app/secret+1";
const CALLBACK: &str = "https://app.example/cb";
const DAY: f64 = 86_400_000.0;

/// A gateway, the time, and what a browser keeps.
struct Host {
    gateway: Gateway,
    now: f64,
    draws: u8,
    cookie: Option<String>,
}

fn host() -> Host {
    host_with(json!({}))
}

/// A gateway of two apps and two users, with these options.
fn host_with(options: Value) -> Host {
    let mut all = json!({
        "apps": [
            { "name": "Demo <1>", "appKey": APP, "appSecret": SECRET, "oauthRedirectUrl": CALLBACK,
              "scopes": ["DC", "MIM", "SMS", "SPEECH", "SESSIONS:ADTM"] },
            { "appKey": "other", "appSecret": "other-secret", "scopes": ["DC", "SMS"],
              "oauthRedirectUrl": "https://other.example/cb?own=1" },
        ],
        "users": [
            { "name": "Ada Lovelace", "phoneNumber": "+1 (425) 555-0101", "userId": "ada", "password": "engine",
              "device": { "vendor": "Difference", "model": "Engine 2" } },
            { "name": "Grace Hopper", "phoneNumber": "4255550102", "password": "nanosecond" },
        ],
    });
    let more = options.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    Host {
        gateway: Gateway::from_json(&all.to_string()).unwrap(),
        now: 1_440_969_066_000.0,
        draws: 0,
        cookie: None,
    }
}

impl Host {
    fn send(&mut self, request: Request) -> Response {
        self.try_send(request).expect("a fault broke the reply")
    }

    fn try_send(&mut self, request: Request) -> Option<Response> {
        self.draws = self.draws.wrapping_add(1);
        let reply = self.gateway.handle(&request, self.now, [self.draws; 32]);
        reply.delivered()
    }

    /// As a browser does: with its cookies.
    fn browse(&mut self, mut request: Request) -> Response {
        if let Some(cookie) = &self.cookie {
            request.headers.append("cookie", cookie.clone());
        }
        let response = self.send(request);
        if let Some(line) = response.headers.get("set-cookie") {
            let pair = line.split(';').next().unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        response
    }

    fn authorize(&mut self, query: &[(&str, &str)]) -> Response {
        let form = form(query);
        self.browse(Request::get(format!(
            "{BASE}/oauth/v4/authorize?{}",
            form.encode()
        )))
    }

    /// The page for an ordinary sign-in.
    fn start(&mut self, scope: &str) -> Response {
        self.authorize(&[("client_id", APP), ("scope", scope), ("state", "st")])
    }

    /// Sends the form of a page.
    fn submit(&mut self, page: &Response, fields: &[(&str, &str)]) -> Response {
        let body = form(fields).set("ticket", &ticket(page)).encode();
        self.browse(Request::form(format!("{BASE}/oauth/v4/authorize"), body))
    }

    fn sign_in(&mut self, page: &Response) -> Response {
        self.submit(
            page,
            &[
                ("action", "sign_in"),
                ("user", "425-555-0101"),
                ("password", "engine"),
            ],
        )
    }

    /// The whole way from the app and back to it.
    fn answer(&mut self, scope: &str) -> String {
        let page = self.start(scope);
        let page = self.sign_in(&page);
        location(&self.submit(&page, &[("action", "allow")]))
    }

    fn code(&mut self, scope: &str) -> String {
        in_query(&self.answer(scope), "code").unwrap()
    }

    fn token(&mut self, fields: &[(&str, &str)]) -> Response {
        let request = token_request(fields);
        self.send(request)
    }

    fn pair(&mut self, scope: &str) -> Value {
        let code = self.code(scope);
        read(&self.token(&[("grant_type", "authorization_code"), ("code", &code)]))
    }

    fn refresh(&mut self, token: &str) -> Response {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
    }

    fn app_token(&mut self, scope: &str) -> Response {
        self.token(&[("grant_type", "client_credentials"), ("scope", scope)])
    }

    fn revoke(&mut self, token: &str, hint: &str) -> Response {
        let body = credentials()
            .set("token", token)
            .set("token_type_hint", hint);
        self.send(Request::form(
            format!("{BASE}/oauth/v4/revoke"),
            body.encode(),
        ))
    }

    fn device(&mut self, token: &str) -> Response {
        let mut request = Request::get(format!("{BASE}/rest/2/Devices/Info"));
        request
            .headers
            .append("authorization", format!("Bearer {token}"));
        self.send(request)
    }

    fn live(&self) -> Live {
        self.gateway.live(self.now)
    }
}

fn form(fields: &[(&str, &str)]) -> Form {
    fields
        .iter()
        .fold(Form::new(), |form, (name, value)| form.set(name, value))
}

fn credentials() -> Form {
    form(&[("client_id", APP), ("client_secret", SECRET)])
}

fn token_request(fields: &[(&str, &str)]) -> Request {
    let body = fields
        .iter()
        .fold(credentials(), |form, (name, value)| form.set(name, value));
    Request::form(format!("{BASE}/oauth/v4/token"), body.encode())
}

fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}

fn read(response: &Response) -> Value {
    assert!(response.is_success(), "{}", text(response));
    serde_json::from_slice(&response.body).unwrap()
}

fn string(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

fn ticket(page: &Response) -> String {
    let (_, rest) = text(page)
        .split_once(r#"name="ticket" value=""#)
        .expect("a page with a form");
    rest.split('"').next().unwrap().to_owned()
}

fn location(response: &Response) -> String {
    assert_eq!(response.status, 302, "{}", text(response));
    response.headers.get("location").unwrap().to_owned()
}

fn in_query(url: &str, name: &str) -> Option<String> {
    Form::parse(split_url(url).query?)
        .first(name)
        .map(String::from)
}

fn heading(page: &Response) -> &str {
    let (_, rest) = text(page).split_once("<h1>").unwrap();
    rest.split("</h1>").next().unwrap()
}

fn oauth_error(response: &Response) -> (u16, String) {
    assert_eq!(response.headers.get("cache-control"), Some("no-store"));
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert!(body["error_description"].is_string());
    (response.status, string(&body, "error"))
}

fn request_error(response: &Response) -> (u16, String, String) {
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let error = &body["RequestError"];
    let exception = error
        .get("PolicyException")
        .or(error.get("ServiceException"));
    let exception = exception.expect("an exception of AT&T's");
    (
        response.status,
        string(exception, "MessageId"),
        string(exception, "Text"),
    )
}

// Authorize

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

// Remember Me

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

fn remembered(scope: &str) -> Host {
    let mut host = host();
    let page = host.start(scope);
    let page = host.sign_in(&page);
    host.submit(&page, &[("action", "allow"), ("remember", "on")]);
    assert!(host.cookie.is_some());
    host
}

// Token

#[test]
fn a_code_gives_the_documented_reply() {
    let mut host = host();
    let code = host.code("DC");
    let reply = host.token(&[("grant_type", "authorization_code"), ("code", &code)]);
    assert_eq!(reply.headers.get("content-type"), Some("application/json"));
    assert_eq!(reply.headers.get("cache-control"), Some("no-store"));
    let body = read(&reply);
    let names: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["access_token", "expires_in", "refresh_token", "token_type"]
    );
    assert_eq!(body["expires_in"], json!(172_800));
    assert_eq!(body["token_type"], "bearer");

    let alphanumeric =
        |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_alphanumeric());
    let access = string(&body, "access_token");
    assert!(
        alphanumeric(access.strip_prefix("BF-ACSI~4~20150830211106~").unwrap()),
        "{access}"
    );
    assert!(alphanumeric(&string(&body, "refresh_token")));
}

#[test]
fn a_code_works_once() {
    let mut host = host();
    let code = host.code("DC");
    let fields = [("grant_type", "authorization_code"), ("code", &*code)];
    let first = read(&host.token(&fields));
    assert_eq!(
        oauth_error(&host.token(&fields)),
        (400, "invalid_grant".into())
    );
    assert_eq!(host.device(&string(&first, "access_token")).status, 200);
}

#[test]
fn a_code_expires() {
    let mut host = host_with(json!({ "codeTtl": 60 }));
    let code = host.code("DC");
    host.now += 60_000.0;
    let reply = host.token(&[("grant_type", "authorization_code"), ("code", &code)]);
    assert_eq!(oauth_error(&reply), (400, "invalid_grant".into()));
}

#[test]
fn another_apps_code_or_refresh_token_is_refused_and_not_spent() {
    let mut host = host();
    let code = host.code("DC");
    let other = |host: &mut Host, name: &str, value: &str, grant: &str| {
        let form = form(&[("client_id", "other"), ("client_secret", "other-secret")])
            .set("grant_type", grant)
            .set(name, value);
        let request = Request::form(format!("{BASE}/oauth/v4/token"), form.encode());
        oauth_error(&host.send(request))
    };
    let refused = (400, "invalid_grant".to_owned());
    assert_eq!(
        other(&mut host, "code", &code, "authorization_code"),
        refused
    );
    let pair = read(&host.token(&[("grant_type", "authorization_code"), ("code", &code)]));
    let refresh = string(&pair, "refresh_token");
    assert_eq!(
        other(&mut host, "refresh_token", &refresh, "refresh_token"),
        refused
    );
    assert_eq!(host.refresh(&refresh).status, 200);
}

#[test]
fn refreshing_kills_the_old_pair() {
    let mut host = host();
    let old = host.pair("DC");
    let new = read(&host.refresh(&string(&old, "refresh_token")));
    assert_ne!(old["access_token"], new["access_token"]);
    assert_ne!(old["refresh_token"], new["refresh_token"]);
    assert_eq!(host.device(&string(&old, "access_token")).status, 401);
    assert_eq!(host.device(&string(&new, "access_token")).status, 200);
    let again = host.refresh(&string(&old, "refresh_token"));
    assert_eq!(oauth_error(&again), (400, "invalid_grant".into()));
    assert_eq!(host.refresh(&string(&new, "refresh_token")).status, 200);
    assert_eq!(
        host.live(),
        Live {
            codes: 0,
            access_tokens: 1,
            refresh_tokens: 1
        }
    );
}

#[test]
fn a_refresh_token_outlives_its_access_token_and_then_expires() {
    let mut host = host();
    let pair = host.pair("DC");
    let refresh = string(&pair, "refresh_token");
    host.now += 2.0 * DAY;
    assert_eq!(host.device(&string(&pair, "access_token")).status, 401);
    host.now += 88.0 * DAY - 1.0;
    let pair = read(&host.refresh(&refresh));
    host.now += 90.0 * DAY;
    assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 400);
}

#[test]
fn an_app_token_comes_with_a_refresh_token_that_works() {
    let mut host = host();
    let pair = read(&host.app_token("SMS,SPEECH"));
    let pair = read(&host.refresh(&string(&pair, "refresh_token")));
    assert_eq!(
        send_sms(&mut host, &string(&pair, "access_token")).status,
        201
    );
}

#[test]
fn an_app_token_needs_a_scope_that_the_app_has_and_that_needs_no_consent() {
    for (scope, error) in [
        ("DC", "invalid_scope"),
        ("SMS,MIM", "invalid_scope"),
        ("TTS", "invalid_scope"),
        ("SMS SPEECH", "invalid_scope"),
        ("", "invalid_request"),
    ] {
        assert_eq!(
            oauth_error(&host().app_token(scope)),
            (400, error.into()),
            "{scope}"
        );
    }
    assert_eq!(host().app_token("SESSIONS:ADTM").status, 200);
}

#[test]
fn an_app_token_ends_the_one_before_unless_switched_off() {
    for (option, status) in [
        (json!({}), 401),
        (json!({ "appTokenEndsEarlier": false }), 201),
    ] {
        let mut host = host_with(option);
        let user = host.pair("DC");
        let first = read(&host.app_token("SMS"));
        let second = read(&host.app_token("SMS"));
        assert_eq!(
            send_sms(&mut host, &string(&first, "access_token")).status,
            status
        );
        assert_eq!(
            send_sms(&mut host, &string(&second, "access_token")).status,
            201
        );
        assert_eq!(host.device(&string(&user, "access_token")).status, 200);
    }
}

#[test]
fn a_second_sign_in_ends_the_first_only_where_switched_on() {
    for (option, status) in [(json!({}), 200), (json!({ "signInEndsOthers": true }), 400)] {
        let mut host = host_with(option);
        let first = host.pair("DC");
        host.pair("DC");
        assert_eq!(
            host.refresh(&string(&first, "refresh_token")).status,
            status
        );
    }
}

#[test]
fn expires_in_and_token_type_are_written_as_switched() {
    for (options, expires_in) in [
        (json!({ "accessTokenTtl": 60 }), json!(60)),
        (
            json!({ "accessTokenTtl": 60, "expiresIn": "string" }),
            json!("60"),
        ),
        (json!({ "expiresIn": "absent" }), Value::Null),
        (json!({ "accessTokenTtl": 0 }), json!(0)),
    ] {
        let mut host = host_with(options);
        assert_eq!(host.pair("DC")["expires_in"], expires_in);
    }
    assert_eq!(
        host_with(json!({ "tokenType": "Bearer" })).pair("DC")["token_type"],
        "Bearer"
    );
}

#[test]
fn a_token_with_expires_in_0_never_expires() {
    let mut host = host_with(json!({ "accessTokenTtl": 0 }));
    let pair = host.pair("DC");
    host.now += 36_500.0 * DAY;
    assert_eq!(host.device(&string(&pair, "access_token")).status, 200);
}

#[test]
fn credentials_stand_in_the_body_and_nowhere_else() {
    let basic = {
        let mut request = Request::form(
            format!("{BASE}/oauth/v4/token"),
            form(&[("grant_type", "client_credentials"), ("scope", "SMS")]).encode(),
        );
        request
            .headers
            .append("authorization", "Basic YXBwIGtleTphcHAvc2VjcmV0KzE=");
        request
    };
    let in_query = Request::form(
        format!("{BASE}/oauth/v4/token?{}", credentials().encode()),
        "grant_type=client_credentials&scope=SMS".into(),
    );
    let body = |text: &str| Request::form(format!("{BASE}/oauth/v4/token"), text.into());
    for request in [
        basic,
        in_query,
        body("client_id=app%20key&client_secret=wrong&grant_type=refresh_token"),
        body("client_id=nobody&client_secret=app%2Fsecret%2B1&grant_type=refresh_token"),
        body("client_id=app%20key&grant_type=refresh_token"),
        body("client_id=other&client_secret=app%2Fsecret%2B1&grant_type=refresh_token"),
        body("client_id=app%20key&client_secret=&grant_type=refresh_token"),
    ] {
        assert_eq!(
            oauth_error(&host().send(request)),
            (401, "invalid_client".into())
        );
    }
}

#[test]
fn a_wrong_token_request_gets_the_error_of_the_standard() {
    for (fields, error) in [
        (vec![], "invalid_request"),
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (
            vec![("grant_type", "authorization_code")],
            "invalid_request",
        ),
        (
            vec![("grant_type", "authorization_code"), ("code", "x")],
            "invalid_grant",
        ),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        (
            vec![("grant_type", "refresh_token"), ("refresh_token", "x")],
            "invalid_grant",
        ),
        (
            vec![("grant_type", "client_credentials")],
            "invalid_request",
        ),
        (
            vec![
                ("grant_type", "refresh_token"),
                ("grant_type", "refresh_token"),
            ],
            "invalid_request",
        ),
    ] {
        assert_eq!(
            oauth_error(&host().token(&fields)),
            (400, error.into()),
            "{fields:?}"
        );
    }
}

#[test]
fn the_assumed_statuses_can_be_switched() {
    let mut host = host_with(json!({
        "errorStatus": { "invalid_client": 400, "unsupported_grant_type": 501 },
        "unknownTokenStatus": 400,
    }));
    let request = Request::form(format!("{BASE}/oauth/v4/token"), "grant_type=x".into());
    assert_eq!(host.send(request).status, 400);
    assert_eq!(host.token(&[("grant_type", "x")]).status, 501);
    assert_eq!(host.revoke("unknown", "access_token").status, 400);
}

// Revoke

#[test]
fn revoking_a_refresh_token_takes_its_access_token_along() {
    for hint in ["refresh_token", "access_token", "nonsense"] {
        let mut host = host();
        let pair = host.pair("DC");
        let reply = host.revoke(&string(&pair, "refresh_token"), hint);
        assert_eq!((reply.status, text(&reply)), (200, ""));
        assert_eq!(host.device(&string(&pair, "access_token")).status, 401);
        assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 400);
    }
}

#[test]
fn revoking_an_access_token_leaves_the_refresh_token() {
    let mut host = host();
    let pair = host.pair("DC");
    assert_eq!(
        host.revoke(&string(&pair, "access_token"), "access_token")
            .status,
        200
    );
    assert_eq!(host.device(&string(&pair, "access_token")).status, 401);
    assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 200);
}

#[test]
fn an_unknown_token_is_as_good_as_revoked_and_another_apps_stays() {
    let mut host = host();
    let pair = host.pair("DC");
    assert_eq!(host.revoke("unknown", "refresh_token").status, 200);
    let body = form(&[("client_id", "other"), ("client_secret", "other-secret")])
        .set("token", &string(&pair, "refresh_token"));
    let request = Request::form(format!("{BASE}/oauth/v4/revoke"), body.encode());
    assert_eq!(host.send(request).status, 200);
    assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 200);
}

#[test]
fn revoking_needs_credentials_and_a_token() {
    let mut host = host();
    let send = |host: &mut Host, form: Form| {
        let request = Request::form(format!("{BASE}/oauth/v4/revoke"), form.encode());
        oauth_error(&host.send(request))
    };
    let nobody = form(&[("client_id", APP), ("token", "x")]);
    assert_eq!(send(&mut host, nobody), (401, "invalid_client".into()));
    assert_eq!(
        send(&mut host, credentials()),
        (400, "invalid_request".into())
    );
}

// Resource APIs

#[test]
fn the_device_is_the_users_own() {
    let mut host = host();
    let pair = host.pair("DC");
    let info = read(&host.device(&string(&pair, "access_token")));
    assert_eq!(
        info["DeviceInfo"]["Capabilities"]["Name"],
        "Difference Engine 2"
    );
}

#[test]
fn an_api_answers_by_the_status_table() {
    let mut host = host();
    let mim = string(&host.pair("MIM"), "access_token");
    let bad = format!("{mim}x");
    for (authorization, status, id) in [
        (None, 400, "POL0001"),
        (Some("Bearer".to_owned()), 401, "POL0001"),
        (Some(format!("Bearer {bad}")), 401, "POL0001"),
        (Some(format!("Basic {mim}")), 401, "POL0001"),
        (Some(format!("Bearer {mim}")), 403, "POL0001"),
    ] {
        let mut request = Request::get(format!("{BASE}/rest/2/Devices/Info"));
        if let Some(value) = &authorization {
            request.headers.append("authorization", value.clone());
        }
        let (got, got_id, _) = request_error(&host.send(request));
        assert_eq!((got, &*got_id), (status, id), "{authorization:?}");
    }
}

#[test]
fn the_scheme_may_have_any_case() {
    let mut host = host();
    let token = string(&host.pair("MIM"), "access_token");
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let mut request = Request::get(format!("{BASE}/myMessages/v2/messages?limit=2&offset=1"));
        request
            .headers
            .append("Authorization", format!("{scheme} {token}"));
        let list = read(&host.send(request));
        assert_eq!(list["messageList"]["messages"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_wrong_input_to_an_api_is_a_service_exception() {
    let mut host = host();
    let token = string(&read(&host.app_token("SMS")), "access_token");
    for (body, id) in [
        ("", "SVC0001"),
        ("{", "SVC0001"),
        ("{}", "SVC0002"),
        (r#"{"outboundSMSRequest":7}"#, "SVC0002"),
        (
            r#"{"outboundSMSRequest":{"address":"tel:+12065550100,x","message":"m"}}"#,
            "SVC0002",
        ),
        (
            r#"{"outboundSMSRequest":{"address":"x,tel:1","message":"m"}}"#,
            "SVC0004",
        ),
        (
            r#"{"outboundSMSRequest":{"address":"tel:+12065550100"}}"#,
            "SVC0002",
        ),
    ] {
        let (status, got, _) = request_error(&post_sms(&mut host, &token, body));
        assert_eq!((status, &*got), (400, id), "{body}");
    }
}

#[test]
fn an_exception_tells_in_its_variables_what_its_text_leaves_open() {
    let mut host = host();
    let mim = string(&host.pair("MIM"), "access_token");
    let mut exception = |path: &str, kind: &str| {
        let mut request = Request::get(format!("{BASE}{path}"));
        let bearer = format!("Bearer {mim}");
        request.headers.append("authorization", bearer);
        let response = host.send(request);
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        let exception = &body["RequestError"][kind];
        let text = |name| exception[name].as_str().map(String::from);
        (response.status, text("MessageId"), text("Variables"))
    };
    let told = |status, id: &str, variables: &str| {
        (status, Some(id.to_owned()), Some(variables.to_owned()))
    };
    assert_eq!(
        exception("/rest/2/Devices/Info", "PolicyException"),
        told(403, "POL0001", "DC")
    );
    for (query, id, variables) in [
        ("limit=501", "SVC0003", "limit,0 to 500"),
        ("limit=all", "SVC0003", "limit,0 to 500"),
        ("offset=-1", "SVC0002", "offset"),
    ] {
        let path = format!("/myMessages/v2/messages?{query}");
        assert_eq!(
            exception(&path, "ServiceException"),
            told(400, id, variables)
        );
    }
    // And it may be missing [S].
    let response = host.device("x");
    assert!(!text(&response).contains("Variables"));
}

fn send_sms(host: &mut Host, token: &str) -> Response {
    let body = r#"{"outboundSMSRequest":{"address":"tel:+12065550100","message":"Hello"}}"#;
    post_sms(host, token, body)
}

fn post_sms(host: &mut Host, token: &str, body: &str) -> Response {
    let mut request = Request::form(format!("{BASE}/sms/v3/messaging/outbox"), body.into());
    request
        .headers
        .append("authorization", format!("Bearer {token}"));
    host.send(request)
}

#[test]
fn there_are_no_cors_headers_unless_switched_on() {
    let preflight = || Request {
        method: "OPTIONS".into(),
        ..Request::get(format!("{BASE}/rest/2/Devices/Info"))
    };
    let mut host = host();
    assert_eq!(host.send(preflight()).status, 405);
    let token = string(&host.pair("DC"), "access_token");
    assert_eq!(
        host.device(&token)
            .headers
            .get("access-control-allow-origin"),
        None
    );

    let mut host = host_with(json!({ "cors": true }));
    let reply = host.send(preflight());
    assert_eq!(reply.status, 204);
    let token = string(&host.pair("DC"), "access_token");
    assert_eq!(
        host.device(&token)
            .headers
            .get("access-control-allow-origin"),
        Some("*")
    );
    assert_eq!(
        host.start("DC").headers.get("access-control-allow-origin"),
        None
    );
}

// Wrong requests

#[test]
fn a_wrong_path_or_method_gets_att_s_shape() {
    let mut host = host();
    let mut send = |method: &str, path: &str| {
        let request = Request {
            method: method.into(),
            ..Request::get(format!("{BASE}{path}"))
        };
        host.send(request)
    };
    for path in [
        "/",
        "",
        "/oauth/v4",
        "/oauth/v4/token/",
        "/OAUTH/v4/token",
        "/rest/2/Devices",
        "/é",
    ] {
        assert_eq!(request_error(&send("GET", path)).0, 404, "{path}");
    }
    for (method, path, allow) in [
        ("GET", "/oauth/v4/token", "POST"),
        ("PUT", "/oauth/v4/revoke", "POST"),
        ("DELETE", "/oauth/v4/authorize", "GET, POST"),
        ("HEAD", "/rest/2/Devices/Info", "GET"),
        ("", "/sms/v3/messaging/outbox", "POST"),
    ] {
        let response = send(method, path);
        assert_eq!(
            (response.status, response.headers.get("allow")),
            (405, Some(allow))
        );
    }
}

#[test]
fn whatever_comes_in_is_answered() {
    let mut host = host();
    let paths = [
        "/oauth/v4/authorize",
        "/oauth/v4/token",
        "/oauth/v4/revoke",
        "/rest/2/Devices/Info",
        "/myMessages/v2/messages",
        "/sms/v3/messaging/outbox",
    ];
    let texts = [
        "",
        "%",
        "&&&",
        "=",
        "client_id=%ff",
        "client_id=app%20key&redirect_uri=https://app.example/cb?%00",
        "ticket=%",
        "limit=-1&offset=99999999999",
        "\u{0}\u{fffd}",
    ];
    let bodies: [&[u8]; 5] = [
        b"",
        b"\xff\xfe",
        b"{\"a\":",
        b"grant_type=refresh_token&grant_type=x",
        &[b'['; 60_000],
    ];
    for path in paths {
        for (text, body) in texts
            .iter()
            .flat_map(|text| bodies.map(|body| (text, body)))
        {
            for method in ["GET", "POST", "TRACE"] {
                for kind in [FORM, "application/json", "\u{1}"] {
                    for now in [0.0, -1e300, f64::NAN, f64::INFINITY, 1e18] {
                        let mut request =
                            Request::form(format!("{BASE}{path}?{text}#f"), String::new());
                        request.method = method.into();
                        request.body = body.to_vec();
                        request.headers = [
                            ("content-type", kind),
                            ("authorization", "Bearer x"),
                            ("cookie", ";=;gateway_emulator_remember"),
                        ]
                        .into_iter()
                        .collect();
                        let reply = host.gateway.handle(&request, now, [7; 32]);
                        assert!((200..500).contains(&reply.response.status));
                    }
                }
            }
        }
    }
    assert!(host.gateway.shown_log().len() <= 200);
}

#[test]
fn a_body_or_url_that_is_too_long_is_refused() {
    let mut host = host();
    let long = Request::form(format!("{BASE}/oauth/v4/token"), "x".repeat(65_537));
    assert_eq!(host.send(long).status, 413);
    let long = Request::get(format!("{BASE}/oauth/v4/authorize?{}", "x".repeat(9000)));
    assert_eq!(host.send(long).status, 414);
}

#[test]
fn a_body_that_is_no_form_is_an_invalid_request() {
    for (kind, body) in [
        ("application/json", &b"{}"[..]),
        ("", b"a=b"),
        (FORM, b"\xff"),
    ] {
        let mut request = token_request(&[]);
        request.headers = [("content-type", kind)].into_iter().collect();
        request.body = body.to_vec();
        assert_eq!(
            oauth_error(&host().send(request)),
            (400, "invalid_request".into())
        );
    }
    let mut host = host();
    let mut request = token_request(&[("grant_type", "client_credentials"), ("scope", "SMS")]);
    request.headers = [(
        "Content-Type",
        "Application/X-WWW-Form-URLencoded ; charset=UTF-8",
    )]
    .into_iter()
    .collect();
    assert_eq!(host.send(request).status, 200);
}

#[test]
fn accept_sets_the_format_of_oauth_errors_which_is_json_by_default() {
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
               <OAuth><error>invalid_grant</error><error_description>The code is invalid, used or \
               expired</error_description></OAuth>";
    let ask = |options: Value, accept: Option<&str>| {
        let mut request = token_request(&[("grant_type", "authorization_code"), ("code", "x")]);
        let accept = accept.map(|accept| ("accept", accept));
        request.headers = accept.into_iter().chain([("content-type", FORM)]).collect();
        let response = host_with(options).send(request);
        assert_eq!(response.status, 400);
        match response.headers.get("content-type").unwrap() {
            "application/xml" => assert_eq!(text(&response), xml),
            "application/json" => assert_eq!(oauth_error(&response).1, "invalid_grant"),
            other => panic!("{other}"),
        }
        response
            .headers
            .all("content-type")
            .map(String::from)
            .collect::<Vec<_>>()
    };
    for (accept, kind) in [
        (None, "application/json"),
        (Some(""), "application/json"),
        (Some("*/*"), "application/json"),
        (Some("image/png"), "application/json"),
        (
            Some("application/json, application/xml"),
            "application/json",
        ),
        (Some("application/xml"), "application/xml"),
        (Some("Text/XML; q=0.9, application/json"), "application/xml"),
    ] {
        assert_eq!(ask(json!({}), accept), [kind], "{accept:?}");
        for format in ["json", "xml"] {
            let kind = format!("application/{format}");
            assert_eq!(ask(json!({ "errorFormat": format }), accept), [kind]);
        }
    }
}

#[test]
fn only_oauth_errors_are_written_in_xml_and_those_of_faults_are() {
    let rules = json!([{ "kind": "unavailable", "endpoint": "revoke" }]);
    let mut host = host_with(json!({ "errorFormat": "xml", "faults": rules }));
    let reply = host.revoke("x", "access_token");
    assert_eq!(reply.headers.get("retry-after"), Some("1"));
    assert!(text(&reply).contains("<error>temporarily_unavailable</error>"));
    assert!(read(&host.app_token("SMS"))["access_token"].is_string());
    assert_eq!(request_error(&host.device("x")).0, 401);
}

// Faults

#[test]
fn a_fault_is_met_as_often_as_it_says() {
    let mut host = host();
    let rule = FaultRule::once(Endpoint::Token, FaultKind::ServerError).times(2);
    host.gateway.fault(rule);
    assert_eq!(
        oauth_error(&host.app_token("SMS")),
        (500, "server_error".into())
    );
    assert_eq!(host.revoke("x", "access_token").status, 200);
    assert_eq!(host.app_token("SMS").status, 500);
    assert_eq!(host.app_token("SMS").status, 200);
    assert_eq!(host.gateway.counts().token.client_credentials, 3);
}

#[test]
fn a_fault_before_the_request_changes_nothing_and_one_after_it_loses_the_session() {
    for (processed, status) in [(false, 200), (true, 400)] {
        let mut host = host();
        let refresh = string(&host.pair("DC"), "refresh_token");
        let rule = FaultRule::once(Endpoint::Token, FaultKind::Cut);
        host.gateway
            .fault(if processed { rule.processed() } else { rule });
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &*refresh),
        ];
        assert_eq!(host.try_send(token_request(&fields)), None);
        assert_eq!(host.refresh(&refresh).status, status);
    }
}

#[test]
fn each_kind_of_fault_looks_like_itself() {
    for (kind, status, fault) in [
        ("server_error", 500, None),
        ("unavailable", 503, None),
        ("rate_limit", 403, None),
        ("consent_missing", 403, None),
        ("html", 200, None),
        ("redirect", 307, None),
        ("slow", 200, None),
        ("timeout", 500, Some(Break::Timeout)),
        ("cut", 500, Some(Break::Cut)),
        ("cut_body", 500, Some(Break::CutBody)),
    ] {
        let mut host = host_with(json!({ "faults": [{ "kind": kind, "endpoint": "token" }] }));
        let request = token_request(&[("grant_type", "client_credentials"), ("scope", "SMS")]);
        let reply = host.gateway.handle(&request, 0.0, [1; 32]);
        assert_eq!(
            (reply.response.status, reply.fault),
            (status, fault),
            "{kind}"
        );
    }
}

#[test]
fn throttling_is_403_with_its_text_and_missing_consent_is_pol0002() {
    let rules = json!([{ "kind": "rate_limit", "endpoint": "api" }, { "kind": "consent_missing", "endpoint": "api" }]);
    let mut host = host_with(json!({ "faults": rules }));
    let (status, id, words) = request_error(&host.device("x"));
    assert_eq!(
        (status, &*id, &*words),
        (403, "POL0001", "Rate Limit Exceeded")
    );
    let (status, id, _) = request_error(&host.device("x"));
    assert_eq!((status, &*id), (403, "POL0002"));
}

#[test]
fn a_huge_reply_is_the_true_one_with_more_than_64_kib_of_spaces() {
    let rule = FaultRule::once(Endpoint::Token, FaultKind::Huge).processed();
    let mut host = host();
    host.gateway.fault(rule);
    let reply = host.app_token("SMS");
    assert!(reply.body.len() > 65_536 && read(&reply)["access_token"].is_string());
}

#[test]
fn a_fault_can_be_for_one_grant_or_path_alone_or_for_ever() {
    let rules = json!([
        { "kind": "unavailable", "grantType": "refresh_token" },
        { "kind": "unavailable", "path": "/rest/2/Devices/Info", "times": "always" },
    ]);
    let mut host = host_with(json!({ "faults": rules }));
    let pair = host.pair("DC");
    assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 503);
    assert_eq!(host.refresh(&string(&pair, "refresh_token")).status, 200);
    for _ in 0..3 {
        assert_eq!(host.device("x").status, 503);
    }
    host.gateway.clear_faults();
    assert_eq!(host.device("x").status, 401);
}

#[test]
fn a_fault_can_be_left_to_chance_and_those_that_it_spares_meet_the_next() {
    let rules = json!([
        { "kind": "unavailable", "share": 0.25, "times": "always" },
        { "kind": "server_error", "share": 0.5, "times": 10 },
    ]);
    let mut host = host_with(json!({ "faults": rules }));
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..200 {
        *seen.entry(host.app_token("SMS").status).or_insert(0) += 1;
    }
    // The tests' seeds are always the same, so these are too.
    assert!((35..=65).contains(&seen[&503]), "{seen:?}");
    assert_eq!(seen[&500], 10, "only those that meet it count");
    assert_eq!(seen[&200] + seen[&503] + seen[&500], 200);
    for share in [json!(0), json!(1.1), json!(-0.5), json!("10%")] {
        let rule = json!({ "kind": "cut", "share": share }).to_string();
        let error = FaultRule::from_json(&rule).err().unwrap();
        assert_eq!(
            error.problems,
            ["fault.share: must be a number above 0, and 1 at most"]
        );
    }
}

#[test]
fn replies_are_as_late_as_the_options_say() {
    let delay = |options: Value| {
        let mut host = host_with(options);
        host.gateway
            .handle(&token_request(&[]), 0.0, [1; 32])
            .delay_ms
    };
    assert_eq!(delay(json!({})), 0);
    assert_eq!(delay(json!({ "latencyMs": 20 })), 20);
    assert_eq!(delay(json!({ "latencyMs": { "api": 20 } })), 0);
    let slow = json!([{ "kind": "slow", "delayMs": 300 }]);
    assert_eq!(
        delay(json!({ "latencyMs": { "token": 20 }, "faults": slow })),
        320
    );
}

// Provisioning

#[test]
fn all_mistakes_in_the_options_are_named_at_once() {
    let options = json!({
        "apps": [
            { "appKey": "", "appSecret": 7, "scope": ["DC"], "scopes": [], "oauthRedirectUrl": "/cb" },
            { "appKey": "a", "appSecret": "s", "scopes": ["D C"], "oauthRedirectUrl": "https://a.example/#x" },
            7,
        ],
        "users": [{ "name": "Ada", "phoneNumber": "12", "password": "x" }, {}],
        "accessTokenTtl": -1,
        "latencyMs": "slow",
        "echoState": "no",
        "answer": "body",
        "ecoState": true,
        "responseType": "ignored",
        "noConsentScopes": true,
        "unknownCustomParams": "accepted",
        "rememberMeTtl": 0,
        "errorFormat": "yaml",
        "errorStatus": { "invalid_grant": 1 },
        "faults": [{ "kind": "earthquake" }, { "kind": "cut", "times": 0 }],
    });
    let error = Gateway::from_json(&options.to_string()).err().unwrap();
    let places: Vec<_> = error
        .problems
        .iter()
        .map(|p| p.split(':').next().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "ecoState",
            "apps[0].scope",
            "apps[0].appKey",
            "apps[0].appSecret",
            "apps[1].scopes",
            "apps[1].oauthRedirectUrl",
            "apps[2]",
            "users[0].phoneNumber",
            "users[1].name",
            "users[1].phoneNumber",
            "users[1].password",
            "accessTokenTtl",
            "latencyMs",
            "echoState",
            "answer",
            "rememberMeTtl",
            "responseType",
            "noConsentScopes",
            "unknownCustomParams",
            "errorStatus.invalid_grant",
            "errorFormat",
            "faults[0].kind",
            "faults[1].times",
        ]
    );
    assert_eq!(
        error.problems[2],
        "apps[0].appKey: must be a string that is not empty"
    );
    assert!(
        error
            .to_string()
            .starts_with("the gateway's options are wrong:\n  ecoState: unknown; known are apps, ")
    );
}

#[test]
fn what_is_wrong_between_apps_or_users_is_named_too() {
    let app = json!({ "appKey": "a", "appSecret": "s", "scopes": ["DC"], "oauthRedirectUrl": "https://a.example/" });
    let user = json!({ "name": "Ada", "phoneNumber": "425-555-0101", "password": "x" });
    let options = json!({ "apps": [app, app], "users": [user, user], "networkUser": "1234567", "tokenType": "b r" });
    let error = Gateway::from_json(&options.to_string()).err().unwrap();
    assert_eq!(
        error.problems,
        [
            "apps[1].appKey: another app has the same one",
            "users[1].phoneNumber: another user has the same one",
            "networkUser: no user has this phone number",
            "tokenType: must be letters",
        ]
    );
}

#[test]
fn no_options_no_apps_and_no_json_are_mistakes() {
    for (text, problem) in [
        ("{}", "apps: missing"),
        (r#"{"apps":[]}"#, "apps: at least one app is needed"),
        ("[]", "the options: must be an object"),
        ("null", "the options: must be an object"),
    ] {
        let error = Gateway::from_json(text).err().unwrap();
        assert_eq!(error.problems, [problem]);
    }
    let error = Gateway::from_json("{").err().unwrap();
    assert!(error.problems[0].starts_with("not JSON: "));
    assert!(Gateway::new(Options::default()).is_err());
}

// What is shown

#[test]
fn requests_are_counted_by_endpoint_and_grant() {
    let mut host = host();
    let pair = host.pair("DC");
    host.refresh(&string(&pair, "refresh_token"));
    host.device("x");
    host.send(Request::get(format!("{BASE}/x")));
    let counts = host.gateway.counts();
    assert_eq!(
        (
            counts.authorize,
            counts.token.authorization_code,
            counts.token.refresh_token
        ),
        (3, 1, 1)
    );
    assert_eq!(
        (counts.api, counts.other, counts.revoke, counts.total()),
        (1, 1, 0, 7)
    );
}

#[test]
fn s01_s03_the_shown_log_holds_no_secret_code_token_password_or_cookie() {
    let mut host = remembered("DC");
    let code = in_query(
        &location(&host.gateway.log().last().unwrap().response.clone().unwrap()),
        "code",
    )
    .unwrap();
    let pair = read(&host.token(&[("grant_type", "authorization_code"), ("code", &code)]));
    let (access, refresh) = (
        string(&pair, "access_token"),
        string(&pair, "refresh_token"),
    );
    host.device(&access);
    let next = read(&host.refresh(&refresh));
    host.revoke(&string(&next, "refresh_token"), "refresh_token");
    let page = host.start("DC");
    let implicit = host.authorize(&[
        ("client_id", APP),
        ("scope", "DC"),
        ("response_type", "token"),
        ("custom_param", "suppress_landing_page"),
    ]);
    let implicit = location(&implicit);
    // Someone puts the secret where it doesn't belong.
    host.send(Request::get(format!(
        "{BASE}/{SECRET}?x=app%2Fsecret%2B1&y={SECRET}"
    )));
    let mut request = Request::form(format!("{BASE}/oauth/v4/token"), SECRET.into());
    request.headers.append("user-agent", SECRET);
    request.headers.append("content-type", "text/plain");
    host.send(request);

    let shown = serde_json::to_string(&host.gateway.shown_log()).unwrap();
    let cookie = host.cookie.clone().unwrap();
    let cookie = cookie.split_once('=').unwrap().1;
    let fragment = Form::parse(split_url(&implicit).fragment.unwrap());
    let secrets = [
        SECRET,
        "app%2Fsecret%2B1",
        &code,
        &access,
        &refresh,
        &string(&next, "access_token"),
        &string(&next, "refresh_token"),
        fragment.first("access_token").unwrap(),
        "engine",
        "nanosecond",
        cookie,
        &ticket(&page),
    ]
    .map(str::to_owned);
    for secret in secrets {
        // The random part alone, for a token's `~` may be written in two ways.
        let part = secret.rsplit('~').next().unwrap();
        assert!(!shown.contains(part), "{part}");
    }
    assert!(shown.contains("grant_type=refresh_token") && shown.contains("expires_in"));
    let raw: Vec<_> = host
        .gateway
        .log()
        .map(|exchange| exchange.unmasked())
        .collect();
    assert!(serde_json::to_string(&raw).unwrap().contains(&refresh));
}

#[test]
fn the_same_code_is_seen_to_come_back_without_being_seen() {
    let mut host = host();
    host.pair("DC");
    let log = host.gateway.shown_log();
    let location = &log[2].response_headers["location"];
    let mark = location
        .split("code=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    assert!(mark.starts_with("[redacted #"), "{location}");
    assert!(log[3].request_body.contains(&format!("code={mark}")));
}

#[test]
fn a_lost_reply_is_shown_as_made_and_one_that_was_not_made_is_not() {
    for (processed, status) in [(false, None), (true, Some(200))] {
        let rules = json!([{ "kind": "cut", "processed": processed }]);
        let mut host = host_with(json!({ "faults": rules }));
        let request = token_request(&[("grant_type", "client_credentials"), ("scope", "SMS")]);
        assert_eq!(host.try_send(request), None);
        let shown = host.gateway.shown_latest().unwrap();
        assert_eq!((shown.status, shown.fault), (status, Some("cut")));
    }
}

#[test]
fn everything_can_be_expired_and_ended_by_hand() {
    let mut host = host();
    let pair = host.pair("DC");
    host.gateway.expire_access_tokens();
    assert_eq!(host.device(&string(&pair, "access_token")).status, 401);
    let pair = read(&host.refresh(&string(&pair, "refresh_token")));
    host.gateway.end_sessions();
    assert_eq!(
        host.live(),
        Live {
            codes: 0,
            access_tokens: 0,
            refresh_tokens: 0
        }
    );
    assert_eq!(
        oauth_error(&host.refresh(&string(&pair, "refresh_token"))),
        (400, "invalid_grant".into())
    );
}
