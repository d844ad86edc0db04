//! One browser, the relay, its vaults and the gateway, in virtual time.

use std::collections::BTreeMap;

use att_oauth::gateway::{Break, FaultRule, Gateway};
use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{Headers, Request, Response, split_url};
use att_oauth::protocol::pkce::CodeVerifier;
use att_oauth::relay::vault::{self, Answer, Command, Failure, Flight, Next, Record};
use att_oauth::relay::{self, Ask, Config, Log, Step};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://app.example/oauth";
pub const APP: &str = "https://app.example";
pub const REDIRECT_URI: &str = "https://app.example/signed-in";
pub const GATEWAY: &str = "http://127.0.0.1:8402";
pub const SECRET: &str = "canary-app-secret";
pub const DAY: f64 = 86_400_000.0;

pub struct World {
    pub config: Config,
    pub gateway: Gateway,
    pub now: f64,
    draws: u64,
    /// As JSON, for so a host keeps them.
    pub records: BTreeMap<String, String>,
    pub alarms: BTreeMap<String, f64>,
    pub jar: BTreeMap<String, String>,
    /// What the next requests say of themselves.
    pub headers: Headers,
    pub logs: Vec<Log>,
    /// Everything that came out of the relay: replies and log lines.
    pub outward: String,
}

pub fn options() -> Value {
    json!({
        "issuer": ISSUER,
        "clientId": "key",
        "clientSecret": SECRET,
        "redirectUris": [REDIRECT_URI, "https://app.example/query?own=1"],
        "scope": "DC MIM",
        "sealingKeys": ["AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"],
        "gateway": GATEWAY,
        "api": ["GET /rest/2/Devices/Info", "POST /myMessages/"],
    })
}

pub fn world() -> World {
    world_with(json!({}), json!({}))
}

/// A world with these options of the relay and of the gateway.
pub fn world_with(relay: Value, gateway: Value) -> World {
    let join = |mut all: Value, more: Value| {
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all.to_string()
    };
    let provisioned = json!({
        "apps": [{ "appKey": "key", "appSecret": SECRET, "scopes": ["DC", "MIM", "SMS", "MMS"],
                   "oauthRedirectUrl": format!("{ISSUER}/callback") }],
        "users": [{ "name": "Ada Lovelace", "phoneNumber": "4255550101", "password": "engine" }],
    });
    World {
        config: Config::from_json(&join(options(), relay)).unwrap(),
        gateway: Gateway::from_json(&join(provisioned, gateway)).unwrap(),
        now: 1_440_969_066_000.0,
        draws: 0,
        records: BTreeMap::new(),
        alarms: BTreeMap::new(),
        jar: BTreeMap::new(),
        headers: Headers::new()
            .with("origin", APP)
            .with("att-oauth-session", "-")
            .with("sec-fetch-site", "same-origin"),
        logs: Vec::new(),
        outward: String::new(),
    }
}

/// A sign-in that the app has begun.
pub struct Begun {
    pub verifier: String,
    /// The gateway's authorization URL.
    pub location: String,
}

impl World {
    pub fn seed(&mut self) -> [u8; 32] {
        self.draws += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.draws.to_be_bytes());
        seed
    }

    /// Sends a request to the relay as the browser does, and performs what it says.
    pub fn send(&mut self, mut request: Request) -> Response {
        if !self.jar.is_empty() {
            let pairs: Vec<_> = self.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request.headers.append("cookie", pairs.join("; "));
        }
        let seed = self.seed();
        let mut step = relay::begin(&self.config, &request, self.now, &seed);
        loop {
            step = match step {
                Step::Respond {
                    response,
                    log,
                    after,
                } => {
                    self.write(log);
                    self.take(&response);
                    for ask in after {
                        self.ask(&ask);
                    }
                    return response;
                }
                Step::Ask { ask, then } => {
                    let answer = self.ask(&ask);
                    let seed = self.seed();
                    relay::finish(&self.config, then, answer, self.now, &seed)
                }
                Step::Forward {
                    request: mut forwarded,
                    origin,
                    generation,
                    refused,
                } => {
                    forwarded.body = request.body.clone();
                    let seed = self.seed();
                    let reply = self.gateway.handle(&forwarded, self.now, seed).delivered();
                    let status = reply.as_ref().map(|reply| reply.status);
                    let (headers, body) =
                        reply.map_or_else(Default::default, |reply| (reply.headers, reply.body));
                    let (mut response, log) =
                        relay::api_response(&self.config, origin, status, &headers, generation);
                    if response.body.is_empty() {
                        response.body = body;
                    }
                    self.write(log);
                    self.take(&response);
                    if status == Some(401)
                        && let Some(ask) = refused
                    {
                        self.ask(&ask);
                    }
                    return response;
                }
            };
        }
    }

    /// Asks a vault as a host does that has one caller at a time.
    pub fn ask(&mut self, ask: &Ask) -> Answer {
        let mut flight = Flight::default();
        loop {
            let stepped = vault::step(
                &self.config,
                self.load(&ask.vault),
                &ask.command,
                flight,
                self.now,
            );
            if stepped.changed {
                self.store(&ask.vault, stepped.record, stepped.alarm);
            }
            match stepped.next {
                Next::Answer(answer) => return answer,
                Next::Wait { .. } => panic!("nothing is under way"),
                Next::Call(call) => {
                    let outcome = self.call(&call.request);
                    let seed = self.seed();
                    let called = vault::called(
                        &self.config,
                        self.load(&ask.vault),
                        &call.ticket,
                        outcome.as_ref().map_err(|failure| *failure),
                        self.now,
                        &seed,
                    );
                    self.store(&ask.vault, Some(called.record), Some(called.alarm));
                    self.write(called.log);
                    if let Some(answer) = called.answer {
                        return answer;
                    }
                    flight.waited = true;
                }
            }
        }
    }

    pub fn call(&mut self, request: &Request) -> Result<Response, Failure> {
        let seed = self.seed();
        let reply = self.gateway.handle(request, self.now, seed);
        match reply.fault {
            None => Ok(reply.response),
            Some(Break::Timeout) => Err(Failure::Timeout),
            Some(Break::Cut | Break::CutBody) => Err(Failure::Network),
        }
    }

    /// Lets time pass, and the alarms ring that it brings.
    pub fn pass(&mut self, ms: f64) {
        let until = self.now + ms;
        for _ in 0..1000 {
            let due = self
                .alarms
                .iter()
                .filter(|(_, at)| **at <= until)
                .min_by(|a, b| a.1.total_cmp(b.1));
            let Some((name, at)) = due.map(|(name, at)| (name.clone(), *at)) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(at);
            self.alarms.remove(&name);
            self.ask(&Ask {
                vault: name.clone(),
                command: Command::Alarm,
            });
            if let Some(record) = self.load(&name) {
                let alarm = vault::step(
                    &self.config,
                    Some(record),
                    &Command::Alarm,
                    Flight::default(),
                    self.now,
                )
                .alarm;
                self.alarms.insert(name, alarm.unwrap());
            }
        }
        panic!("alarms ring without end");
    }

    pub fn load(&self, name: &str) -> Option<Record> {
        let json = self.records.get(name)?;
        Some(serde_json::from_str(json).unwrap())
    }

    /// What a vault with that record does next, now.
    pub fn next(&self, record: Option<Record>, command: &Command, flight: Flight) -> Next {
        vault::step(&self.config, record, command, flight, self.now).next
    }

    pub fn store(&mut self, name: &str, record: Option<Record>, alarm: Option<f64>) {
        match record {
            Some(record) => {
                let json = serde_json::to_string(&record).unwrap();
                self.records.insert(name.into(), json);
            }
            None => {
                self.records.remove(name);
            }
        }
        match alarm {
            Some(alarm) => self.alarms.insert(name.into(), alarm),
            None => self.alarms.remove(name),
        };
    }

    fn write(&mut self, log: Log) {
        self.outward += &serde_json::to_string(&log).unwrap();
        self.logs.push(log);
    }

    /// Reads the `Set-Cookie`s, all of which must be as S18 has them.
    pub fn take(&mut self, response: &Response) {
        self.outward += &format!("{response:?}");
        self.outward += &String::from_utf8_lossy(&response.body);
        for line in response.headers.all("set-cookie") {
            let (pair, attributes) = line.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let same_site = if name.contains("-tx-") {
                "Lax"
            } else {
                "Strict"
            };
            assert!(name.starts_with("__Host-"), "{line}");
            assert!(attributes.starts_with("Path=/; Max-Age="), "{line}");
            let end = format!("; Secure; HttpOnly; SameSite={same_site}");
            assert!(attributes.ends_with(&end), "{line}");
            assert!(pair.len() < 4096, "{line}");
            if value.is_empty() {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.into(), value.into());
            }
        }
    }

    /// What the app sends its user to.
    pub fn authorize_query(&mut self) -> (String, Form) {
        let verifier = CodeVerifier::from_random(&self.seed());
        let form = Form::new()
            .set("response_type", "code")
            .set("client_id", "key")
            .set("redirect_uri", REDIRECT_URI)
            .set("scope", "DC MIM")
            .set("state", "app-state")
            .set("code_challenge", verifier.challenge().as_str())
            .set("code_challenge_method", "S256")
            .set("response_mode", "fragment");
        (verifier.expose().into(), form)
    }

    pub fn authorize(&mut self, form: &Form) -> Response {
        self.send(Request::get(form.onto_url(&format!("{ISSUER}/authorize"))))
    }

    /// The app starts a sign-in.
    pub fn begin(&mut self) -> Begun {
        let (verifier, form) = self.authorize_query();
        let response = self.authorize(&form);
        assert_eq!(response.status, 302, "{response:?}");
        Begun {
            verifier,
            location: location(&response),
        }
    }

    /// Ada signs in at the gateway and agrees, or not; where she is sent.
    pub fn consent(&mut self, begun: &Begun, agrees: bool) -> String {
        let page = self.call(&Request::get(&begun.location)).unwrap();
        let page = String::from_utf8(page.body).unwrap();
        let ticket = page.split("name=\"ticket\" value=\"").nth(1).unwrap();
        let ticket = ticket.split('"').next().unwrap();
        let submit = |fields: &[(&str, &str)]| {
            let form = fields
                .iter()
                .fold(Form::new().set("ticket", ticket), |f, (n, v)| f.set(n, v));
            Request::form(format!("{GATEWAY}/oauth/v4/authorize"), form.encode())
        };
        self.call(&submit(&[
            ("action", "sign_in"),
            ("user", "4255550101"),
            ("password", "engine"),
        ]))
        .unwrap();
        let action = if agrees { "allow" } else { "deny" };
        let back = self.call(&submit(&[("action", action)])).unwrap();
        location(&back)
    }

    /// The browser comes back to the relay.
    pub fn callback(&mut self, url: &str) -> Response {
        self.send(Request::get(url))
    }

    /// From the app to its code: the code and its verifier.
    pub fn code(&mut self) -> (String, String) {
        let begun = self.begin();
        let back = self.consent(&begun, true);
        let answer = self.callback(&back);
        assert_eq!(answer.status, 303, "{answer:?}");
        (
            answered(&location(&answer), "code").unwrap(),
            begun.verifier,
        )
    }

    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let form = fields
            .iter()
            .fold(Form::new(), |form, (name, value)| form.set(name, value));
        let mut request = Request::form(format!("{ISSUER}{path}"), form.encode());
        for (name, value) in self.headers.iter() {
            request.headers.append(name, value);
        }
        self.send(request)
    }

    pub fn exchange(&mut self, code: &str, verifier: &str) -> Response {
        self.post(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", "key"),
                ("code", code),
                ("code_verifier", verifier),
                ("redirect_uri", REDIRECT_URI),
            ],
        )
    }

    /// A whole sign-in; the reply.
    pub fn sign_in(&mut self) -> Value {
        let (code, verifier) = self.code();
        read(&self.exchange(&code, &verifier))
    }

    pub fn refresh(&mut self, more: &[(&str, &str)]) -> Response {
        let mut fields = vec![("grant_type", "refresh_token"), ("client_id", "key")];
        fields.extend(more);
        self.post("/token", &fields)
    }

    pub fn revoke(&mut self) -> Response {
        self.post("/revoke", &[("client_id", "key")])
    }

    pub fn api(&mut self, method: &str, path: &str) -> Response {
        self.send(Request {
            method: method.into(),
            url: format!("{ISSUER}/api{path}"),
            headers: self.headers.clone(),
            body: Vec::new(),
        })
    }

    pub fn fault(&mut self, rule: Value) {
        self.gateway
            .fault(FaultRule::from_json(&rule.to_string()).unwrap());
    }

    /// How often the gateway was called by the relay.
    pub fn gateway_calls(&self) -> u64 {
        let counts = self.gateway.counts();
        counts.token.total() + counts.revoke + counts.api
    }

    pub fn last_reason(&self) -> &str {
        &self.logs.last().unwrap().reason
    }
}

/// The headers without one, or with another value.
pub fn with(headers: &Headers, name: &str, value: Option<&str>) -> Headers {
    let kept = headers.iter().filter(|(n, _)| *n != name);
    let changed = value.map(|value| (name, value));
    kept.chain(changed).collect()
}

pub fn location(response: &Response) -> String {
    response.headers.get("location").unwrap().into()
}

/// A parameter of an answer, in query or fragment.
pub fn answered(url: &str, name: &str) -> Option<String> {
    let parts = split_url(url);
    let fragment = parts.fragment.filter(|fragment| !fragment.is_empty());
    let place = fragment.or(parts.query).unwrap_or_default();
    Form::parse(place).first(name).map(String::from)
}

pub fn read(response: &Response) -> Value {
    assert_eq!(
        response.status,
        200,
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    serde_json::from_slice(&response.body).unwrap()
}

/// Status and OAuth error of a reply.
pub fn refusal(response: &Response) -> (u16, String) {
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert!(body["error_description"].is_string(), "{body}");
    (response.status, body["error"].as_str().unwrap().into())
}
