//! A gateway, and what a browser and a relay do at it.

use att_oauth::gateway::{Gateway, Live};
use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{Request, Response, split_url};
use serde_json::{Value, json};

pub const BASE: &str = "http://127.0.0.1:8402";
pub const APP: &str = "app key";
pub const SECRET: &str = "app/secret+1";
pub const CALLBACK: &str = "https://app.example/cb";
pub const DAY: f64 = 86_400_000.0;

/// A gateway, the time, and what a browser keeps.
pub struct Host {
    pub gateway: Gateway,
    pub now: f64,
    pub draws: u8,
    pub cookie: Option<String>,
}

pub fn host() -> Host {
    host_with(json!({}))
}

/// A gateway of two apps and two users, with these options.
pub fn host_with(options: Value) -> Host {
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
    pub fn send(&mut self, request: Request) -> Response {
        self.try_send(request).expect("a fault broke the reply")
    }

    pub fn try_send(&mut self, request: Request) -> Option<Response> {
        self.draws = self.draws.wrapping_add(1);
        let reply = self.gateway.handle(&request, self.now, [self.draws; 32]);
        reply.delivered()
    }

    /// As a browser does: with its cookies.
    pub fn browse(&mut self, mut request: Request) -> Response {
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

    pub fn authorize(&mut self, query: &[(&str, &str)]) -> Response {
        let form = form(query);
        self.browse(Request::get(format!(
            "{BASE}/oauth/v4/authorize?{}",
            form.encode()
        )))
    }

    /// The page for an ordinary sign-in.
    pub fn start(&mut self, scope: &str) -> Response {
        self.authorize(&[("client_id", APP), ("scope", scope), ("state", "st")])
    }

    /// Sends the form of a page.
    pub fn submit(&mut self, page: &Response, fields: &[(&str, &str)]) -> Response {
        let body = form(fields).set("ticket", &ticket(page)).encode();
        self.browse(Request::form(format!("{BASE}/oauth/v4/authorize"), body))
    }

    pub fn sign_in(&mut self, page: &Response) -> Response {
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
    pub fn answer(&mut self, scope: &str) -> String {
        let page = self.start(scope);
        let page = self.sign_in(&page);
        location(&self.submit(&page, &[("action", "allow")]))
    }

    pub fn code(&mut self, scope: &str) -> String {
        in_query(&self.answer(scope), "code").unwrap()
    }

    pub fn token(&mut self, fields: &[(&str, &str)]) -> Response {
        let request = token_request(fields);
        self.send(request)
    }

    pub fn pair(&mut self, scope: &str) -> Value {
        let code = self.code(scope);
        read(&self.token(&[("grant_type", "authorization_code"), ("code", &code)]))
    }

    pub fn refresh(&mut self, token: &str) -> Response {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
    }

    pub fn app_token(&mut self, scope: &str) -> Response {
        self.token(&[("grant_type", "client_credentials"), ("scope", scope)])
    }

    pub fn revoke(&mut self, token: &str, hint: &str) -> Response {
        let body = credentials()
            .set("token", token)
            .set("token_type_hint", hint);
        self.send(Request::form(
            format!("{BASE}/oauth/v4/revoke"),
            body.encode(),
        ))
    }

    pub fn device(&mut self, token: &str) -> Response {
        let mut request = Request::get(format!("{BASE}/rest/2/Devices/Info"));
        request
            .headers
            .append("authorization", format!("Bearer {token}"));
        self.send(request)
    }

    pub fn live(&self) -> Live {
        self.gateway.live(self.now)
    }
}

pub fn form(fields: &[(&str, &str)]) -> Form {
    fields
        .iter()
        .fold(Form::new(), |form, (name, value)| form.set(name, value))
}

pub fn credentials() -> Form {
    form(&[("client_id", APP), ("client_secret", SECRET)])
}

pub fn token_request(fields: &[(&str, &str)]) -> Request {
    let body = fields
        .iter()
        .fold(credentials(), |form, (name, value)| form.set(name, value));
    Request::form(format!("{BASE}/oauth/v4/token"), body.encode())
}

pub fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}

pub fn read(response: &Response) -> Value {
    assert!(response.is_success(), "{}", text(response));
    serde_json::from_slice(&response.body).unwrap()
}

pub fn string(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

pub fn ticket(page: &Response) -> String {
    let (_, rest) = text(page)
        .split_once(r#"name="ticket" value=""#)
        .expect("a page with a form");
    rest.split('"').next().unwrap().to_owned()
}

pub fn location(response: &Response) -> String {
    assert_eq!(response.status, 302, "{}", text(response));
    response.headers.get("location").unwrap().to_owned()
}

pub fn in_query(url: &str, name: &str) -> Option<String> {
    Form::parse(split_url(url).query?)
        .first(name)
        .map(String::from)
}

pub fn heading(page: &Response) -> &str {
    let (_, rest) = text(page).split_once("<h1>").unwrap();
    rest.split("</h1>").next().unwrap()
}

pub fn oauth_error(response: &Response) -> (u16, String) {
    assert_eq!(response.headers.get("cache-control"), Some("no-store"));
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert!(body["error_description"].is_string());
    (response.status, string(&body, "error"))
}

pub fn request_error(response: &Response) -> (u16, String, String) {
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

pub fn send_sms(host: &mut Host, token: &str) -> Response {
    let body = r#"{"outboundSMSRequest":{"address":"tel:+12065550100","message":"Hello"}}"#;
    post_sms(host, token, body)
}

pub fn post_sms(host: &mut Host, token: &str, body: &str) -> Response {
    let mut request = Request::form(format!("{BASE}/sms/v3/messaging/outbox"), body.into());
    request
        .headers
        .append("authorization", format!("Bearer {token}"));
    host.send(request)
}

pub fn remembered(scope: &str) -> Host {
    let mut host = host();
    let page = host.start(scope);
    let page = host.sign_in(&page);
    host.submit(&page, &[("action", "allow"), ("remember", "on")]);
    assert!(host.cookie.is_some());
    host
}
