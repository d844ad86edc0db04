//! A small world for whole flows: one browser with tabs, the relay (or a backend that adds the App
//! Secret and no more), and the gateway emulator, joined in memory. Time and randomness are its own.
#![allow(dead_code, reason = "each test file uses its part")]

#[path = "../relay/world.rs"]
pub mod relay;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use att_oauth::gateway::Gateway;
use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{Request, Response};
use att_oauth::protocol::scope::Scope;
use att_oauth::protocol::{Error, Result};
use att_oauth::session::{
    Client, Effect, Event, Failure, Options, Outcome, Reply, SignIn, Step, Store, Task, client,
};
use serde_json::json;

pub const GATEWAY: &str = "http://127.0.0.1:8402";
pub const BACKEND: &str = "https://app.example/oauth";
pub const CALLBACK: &str = "https://app.example/in";
pub const SECRET: &str = "canary-secret";

/// Everything outside of a client.
pub struct World {
    pub gateway: RefCell<Gateway>,
    /// The relay with a gateway and a cookie jar of its own; without it clients use the backend.
    pub relay: Option<RefCell<relay::World>>,
    pub now: RefCell<f64>,
    /// What the network does to the next requests; empty: it works.
    pub network: RefCell<Vec<Network>>,
    /// Paths of the requests that clients sent.
    pub requests: RefCell<Vec<String>>,
    draws: RefCell<u8>,
    local: RefCell<HashMap<Drawer, String>>,
    cookie: RefCell<Option<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Network {
    Works,
    /// The request doesn't arrive.
    Away,
    /// It arrives; the reply doesn't.
    LosesReply,
    /// Somebody answers with this status.
    Says(u16),
}

#[derive(PartialEq, Eq, Hash)]
struct Drawer(bool, u32);

/// One tab with one client.
pub struct Tab {
    pub world: Rc<World>,
    pub client: Rc<Client>,
    pub href: RefCell<String>,
    pub events: RefCell<Vec<Event>>,
    pub told_tabs: RefCell<u32>,
    id: u32,
}

impl World {
    pub fn new() -> Rc<Self> {
        Self::with(json!({}))
    }

    pub fn with(options: serde_json::Value) -> Rc<Self> {
        let mut all = json!({
            "apps": [{ "appKey": "key", "appSecret": SECRET, "oauthRedirectUrl": CALLBACK, "scopes": ["DC", "MIM"] }],
            "users": [{ "name": "Ada", "phoneNumber": "4255550101", "userId": "ada", "password": "engine" }],
        });
        all.as_object_mut()
            .unwrap()
            .extend(options.as_object().unwrap().clone());
        Rc::new(Self {
            gateway: RefCell::new(Gateway::from_json(&all.to_string()).unwrap()),
            relay: None,
            now: RefCell::new(1_800_000_000_000.0),
            network: RefCell::default(),
            requests: RefCell::default(),
            draws: RefCell::default(),
            local: RefCell::default(),
            cookie: RefCell::default(),
        })
    }

    /// A world whose clients use the relay, with these options of the gateway.
    pub fn relayed(gateway: serde_json::Value) -> Rc<Self> {
        Self::relayed_with(json!({}), gateway)
    }

    /// The same, with these options of the relay too.
    pub fn relayed_with(relay: serde_json::Value, gateway: serde_json::Value) -> Rc<Self> {
        let mut world = Rc::into_inner(Self::new()).unwrap();
        let mut relay = relay::world_with(relay, gateway);
        relay.now = world.now();
        world.relay = Some(RefCell::new(relay));
        Rc::new(world)
    }

    pub fn pass(&self, seconds: f64) {
        *self.now.borrow_mut() += seconds * 1000.0;
        if let Some(relay) = &self.relay {
            relay.borrow_mut().pass(seconds * 1000.0);
        }
    }

    /// The relay's world, in worlds that have one.
    pub fn relay(&self) -> std::cell::RefMut<'_, relay::World> {
        self.relay.as_ref().unwrap().borrow_mut()
    }

    /// The label of the session that the browser has stored.
    pub fn stored_label(&self) -> String {
        client::label_in(&self.local.borrow()[&Drawer(true, 0)]).into()
    }

    /// Its handle, in custody `handle`.
    pub fn stored_handle(&self) -> String {
        client::handle_in(&self.local.borrow()[&Drawer(true, 0)]).into()
    }

    fn now(&self) -> f64 {
        *self.now.borrow()
    }

    fn draw(&self) -> u8 {
        let mut draws = self.draws.borrow_mut();
        *draws = draws.wrapping_add(1);
        *draws
    }

    pub fn at_gateway(&self, request: &Request) -> Response {
        let reply = self
            .gateway
            .borrow_mut()
            .handle(request, self.now(), [self.draw(); 32]);
        reply.delivered().unwrap_or_else(|| Response::new(504))
    }

    fn send(&self, request: &Request) -> Reply {
        self.requests.borrow_mut().push(request.path().to_owned());
        let network = if self.network.borrow().is_empty() {
            Network::Works
        } else {
            self.network.borrow_mut().remove(0)
        };
        match network {
            Network::Away => return Reply::Failed(Failure::Network),
            Network::Says(status) => return Reply::Response(Response::new(status)),
            Network::Works | Network::LosesReply => {}
        }
        let response = self.backend(request);
        if network == Network::LosesReply {
            return Reply::Failed(Failure::Timeout);
        }
        Reply::Response(response)
    }

    /// Adds the secret and forwards: what an app has that does without our relay.
    fn backend(&self, request: &Request) -> Response {
        if let Some(relay) = &self.relay {
            let mut request = request.clone();
            request.headers.append("origin", relay::APP);
            request.headers.append("sec-fetch-site", "same-origin");
            return relay.borrow_mut().send(request);
        }
        let path = request.path().replace("/oauth/", "/oauth/v4/");
        let body =
            Form::parse(std::str::from_utf8(&request.body).unwrap()).set("client_secret", SECRET);
        self.at_gateway(&Request::form(format!("{GATEWAY}{path}"), body.encode()))
    }

    fn browse(&self, mut request: Request) -> Response {
        if let Some(cookie) = &*self.cookie.borrow() {
            request.headers.append("cookie", cookie.clone());
        }
        let response = self.at_gateway(&request);
        if let Some(line) = response.headers.get("set-cookie") {
            *self.cookie.borrow_mut() = line.split(';').next().map(String::from);
        }
        response
    }

    /// The user at the gateway: signs in if asked, then agrees or denies. Gives the URL they come
    /// back to.
    pub fn consent(&self, url: &str, action: &str) -> String {
        if self.relay.is_some() {
            let mut relay = self.relay();
            let away = relay.send(Request::get(url));
            assert_eq!(away.status, 302, "{}", String::from_utf8_lossy(&away.body));
            let begun = relay::Begun {
                verifier: String::new(),
                location: relay::location(&away),
            };
            let back = relay.consent(&begun, action == "allow");
            return relay::location(&relay.callback(&back));
        }
        let mut page = self.browse(Request::get(url));
        for _ in 0..3 {
            if let Some(location) = page.headers.get("location") {
                return location.to_owned();
            }
            let text = String::from_utf8(page.body.clone()).unwrap();
            let (_, rest) = text.split_once(r#"name="ticket" value=""#).expect(&text);
            let ticket = rest.split('"').next().unwrap();
            let form = Form::new().set("ticket", ticket);
            let form = if text.contains("name=\"password\"") {
                form.set("action", "sign_in")
                    .set("user", "ada")
                    .set("password", "engine")
            } else if text.contains("value=\"allow\"") {
                form.set("action", action)
            } else {
                form.set("action", "continue")
            };
            page = self.browse(Request::form(
                format!("{GATEWAY}/oauth/v4/authorize"),
                form.encode(),
            ));
        }
        panic!("the gateway never redirected");
    }

    /// Another tab of the browser, on this page.
    pub fn tab(self: &Rc<Self>, href: &str) -> Tab {
        self.tab_with(href, |_| {})
    }

    pub fn tab_with(self: &Rc<Self>, href: &str, more: impl FnOnce(&mut Options)) -> Tab {
        let mut options = Options {
            client_id: "key".into(),
            scope: Scope::parse("DC").unwrap(),
            ..Options::default()
        };
        if self.relay.is_some() {
            options.relay = Some(relay::ISSUER.into());
            options.redirect_uri = relay::REDIRECT_URI.into();
        } else {
            options.redirect_uri = CALLBACK.into();
            options.authorization_endpoint = Some(format!("{GATEWAY}/oauth/v4/authorize"));
            options.token_endpoint = Some(format!("{BACKEND}/token"));
            options.revocation_endpoint = Some(format!("{BACKEND}/revoke"));
        }
        more(&mut options);
        Tab {
            world: self.clone(),
            client: Client::new(options.check().unwrap()),
            href: RefCell::new(href.into()),
            events: RefCell::default(),
            told_tabs: RefCell::default(),
            id: u32::from(self.draw()),
        }
    }
}

impl Tab {
    /// The same tab after a reload: what was in memory is gone.
    pub fn reload(self) -> Self {
        self.reload_with(|_| {})
    }

    pub fn reload_with(self, more: impl FnOnce(&mut Options)) -> Self {
        let href = self.href.borrow().clone();
        let fresh = self.world.tab_with(&href, more);
        Self {
            id: self.id,
            ..fresh
        }
    }

    pub fn drive(&self, mut task: Task) -> Result<Outcome> {
        self.go_on(&mut task, Reply::Done, |_| false)
            .expect("the task ended")
    }

    /// Performs a task's effects up to its first request, which stays on its way.
    pub fn drive_to_request(&self, task: &mut Task) {
        self.drive_to(task, |effect| matches!(effect, Effect::Send(_)));
    }

    /// Performs a task's effects and its first request, whose reply stays on its way.
    pub fn drive_to_reply(&self, task: &mut Task) -> Reply {
        self.drive_on_to_reply(task, Reply::Done)
    }

    /// Goes on with `reply` to the reply of the next request.
    pub fn drive_on_to_reply(&self, task: &mut Task, mut reply: Reply) -> Reply {
        loop {
            match task.resume(reply, self.world.now()) {
                Step::Effect(Effect::Send(request)) => return self.world.send(&request),
                Step::Effect(effect) => reply = self.perform(effect),
                Step::Done(result) => panic!("no request: {result:?}"),
            }
        }
    }

    /// The same up to the first effect that is to `stop` it.
    pub fn drive_to(&self, task: &mut Task, stop: impl Fn(&Effect) -> bool) {
        let ended = self.go_on(task, Reply::Done, stop);
        assert!(ended.is_none(), "no such effect: {ended:?}");
    }

    /// Goes on with `reply` to the end.
    pub fn drive_on(&self, task: &mut Task, reply: Reply) -> Result<Outcome> {
        self.go_on(task, reply, |_| false).expect("the task ended")
    }

    fn go_on(
        &self,
        task: &mut Task,
        mut reply: Reply,
        stop: impl Fn(&Effect) -> bool,
    ) -> Option<Result<Outcome>> {
        for _ in 0..100 {
            match task.resume(reply, self.world.now()) {
                Step::Done(result) => return Some(result),
                Step::Effect(effect) if stop(&effect) => return None,
                Step::Effect(effect) => reply = self.perform(effect),
            }
        }
        panic!("the task never ends");
    }

    fn perform(&self, effect: Effect) -> Reply {
        let key = |store| {
            Drawer(
                store == Store::Session,
                if store == Store::Session { 0 } else { self.id },
            )
        };
        match effect {
            Effect::Lock | Effect::LockTabs => Reply::Done,
            Effect::Load(store) => {
                Reply::Loaded(self.world.local.borrow().get(&key(store)).cloned())
            }
            Effect::Save(store, value) => {
                let mut local = self.world.local.borrow_mut();
                match value {
                    Some(value) => drop(local.insert(key(store), value)),
                    None => drop(local.remove(&key(store))),
                }
                Reply::Done
            }
            Effect::Send(request) => self.world.send(&request),
            Effect::Clean(shown) => {
                let mut href = self.href.borrow_mut();
                if let Some(cleaned) = shown.cleaned(&href) {
                    *href = cleaned;
                }
                Reply::Done
            }
            Effect::Emit(event) => {
                self.events.borrow_mut().push(event);
                Reply::Done
            }
            Effect::Tell(_) => {
                *self.told_tabs.borrow_mut() += 1;
                Reply::Done
            }
        }
    }

    pub fn handle_redirect(&self) -> Result<Outcome> {
        let href = self.href.borrow().clone();
        self.drive(self.client.handle_redirect(&href))
    }

    /// Away to the gateway and back to the callback page, with the answer in the address bar.
    pub fn go_and_come_back(&self, action: &str) {
        self.go_for(SignIn::default(), action);
    }

    pub fn go_for(&self, options: SignIn, action: &str) {
        let href = self.href.borrow().clone();
        let random = [self.world.draw(); 78];
        let task = self
            .client
            .authorization_url(options, &href, random)
            .unwrap();
        let Ok(Outcome::Url(url)) = self.drive(task) else {
            panic!("no URL to leave for")
        };
        *self.href.borrow_mut() = self.world.consent(&url, action);
    }

    pub fn signed_in(self) -> Self {
        self.go_and_come_back("allow");
        self.handle_redirect().unwrap();
        self
    }

    /// The browser has the reply to the sign-in, and its cookie; the page is gone before it stores it.
    pub fn signs_in_and_dies_over_the_reply(self) {
        self.go_and_come_back("allow");
        let href = self.href.borrow().clone();
        self.drive_to_reply(&mut self.client.handle_redirect(&href));
    }

    pub fn token(&self) -> Result<String, Error> {
        match self.drive(self.client.access_token(Default::default()))? {
            Outcome::AccessToken(token) => Ok(token.into_exposed()),
            other => panic!("{other:?}"),
        }
    }

    /// Whether the gateway's API takes the token.
    pub fn is_good(&self, token: &str) -> bool {
        let mut request = Request::get(format!("{GATEWAY}/rest/2/Devices/Info"));
        request
            .headers
            .append("authorization", format!("Bearer {token}"));
        match &self.world.relay {
            Some(relay) => relay.borrow_mut().call(&request).unwrap().status == 200,
            None => self.world.at_gateway(&request).status == 200,
        }
    }
}
