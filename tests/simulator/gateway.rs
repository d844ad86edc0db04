//! The way from the relay to the gateway and back.

use std::rc::Rc;

use att_oauth::gateway::Gateway;
use att_oauth::protocol::http::{Headers, Request, Response};
use att_oauth::relay::vault::Failure;
use serde_json::json;

use crate::engine::{Promise, WORLD};
use crate::ledger::Flight;
use crate::world::World;

pub const GATEWAY: &str = "http://127.0.0.1:8402";
pub const API: &str = "/rest/2/Devices/Info";
const ISSUER_CALLBACK: &str = "https://app.example/oauth/callback";

/// Who can sign in.
pub const USERS: [&str; 4] = ["ada", "bob", "cyd", "dee"];

pub fn gateway(world_options: &serde_json::Value) -> Gateway {
    let users: Vec<_> = USERS
        .iter()
        .enumerate()
        .map(|(i, name)| {
            json!({ "name": name, "userId": name, "phoneNumber": format!("425555010{i}"), "password": "engine" })
        })
        .collect();
    let mut options = json!({
        "apps": [{ "appKey": "key", "appSecret": "secret", "scopes": ["DC", "MIM"], "oauthRedirectUrl": ISSUER_CALLBACK }],
        "users": users,
        "rememberMe": false,
        "showUsers": false,
    });
    let more = world_options.as_object().unwrap().clone();
    options.as_object_mut().unwrap().extend(more);
    Gateway::from_json(&options.to_string()).unwrap()
}

impl World {
    /// What the gateway itself says at once; for the machinery.
    pub fn at_gateway(&self, request: &Request) -> Response {
        let seed = self.sim.random(|r| r.bytes());
        self.gateway
            .borrow_mut()
            .handle(request, self.sim.now(), seed)
            .response
    }

    /// Whether the gateway's API takes a token.
    pub fn accepts(&self, token: &str) -> bool {
        let headers = Headers::new().with("authorization", format!("Bearer {token}"));
        let request = Request {
            headers,
            ..Request::get(format!("{GATEWAY}{API}"))
        };
        self.at_gateway(&request).status == 200
    }

    /// A vault's call, as its host makes it: given up after `timeout_ms`.
    pub async fn call_gateway(
        self: &Rc<Self>,
        flight: &Rc<Flight>,
        request: Request,
        timeout_ms: u32,
    ) -> Result<Response, Failure> {
        let reply = Promise::new(&self.sim);
        let hop = self.weather.gateway;
        let copies = 1 + usize::from(self.strikes(hop.doubles));
        let heard = self.sim.random(|r| r.below(copies));
        for copy in 0..copies {
            if copies > 1 {
                flight.suffers("it was delivered twice");
            }
            let (world, flight, request, reply) =
                (self.clone(), flight.clone(), request.clone(), reply.clone());
            self.sim.spawn(WORLD, async move {
                let heard = (copy == heard).then_some(reply);
                world.deliver(&flight, &request, heard).await;
            });
        }
        let outcome = reply.within(f64::from(timeout_ms)).await;
        outcome.unwrap_or(Err(Failure::Timeout))
    }

    /// One copy of a request, there and back.
    async fn deliver(
        self: &Rc<Self>,
        flight: &Flight,
        request: &Request,
        reply: Option<Promise<Result<Response, Failure>>>,
    ) {
        let resolve = |outcome| {
            if let Some(reply) = &reply {
                reply.resolve(outcome);
            }
        };
        let hop = self.weather.gateway;
        self.travel(hop.dawdles, || flight.suffers("it was slow"))
            .await;
        if self.strikes(hop.loses_request) {
            self.sim
                .note(|| format!("  the gateway never hears of {}", request.path()));
            // Either the connection breaks, or nothing happens.
            if self.sim.chance(0.7) {
                resolve(Err(Failure::Network));
            }
            return;
        }
        let fails = self.strikes(self.weather.gateway_fails);
        let answers = !fails || self.strikes(self.weather.fails_after);
        let mut response = Response::new(500);
        if answers {
            response = self.at_gateway(request);
            self.ledger
                .borrow_mut()
                .observe(&self.sim, flight, request, &response);
        }
        let status = response.status;
        if fails {
            flight.suffers("the gateway spoilt its reply");
            response = self.spoilt();
        }
        self.sim.note(|| {
            let path = request.path();
            format!(
                "  gateway: {path} {status}{}",
                if fails { " (spoilt)" } else { "" }
            )
        });
        self.travel(hop.dawdles, || flight.suffers("its reply was slow"))
            .await;
        if self.strikes(hop.loses_reply) {
            flight.suffers("its reply was lost");
            self.sim.note(|| "  the gateway's reply is lost".into());
            if self.sim.chance(0.7) {
                resolve(Err(Failure::Network));
            }
            return;
        }
        resolve(Ok(response));
    }

    /// A call of an API, forwarded.
    pub async fn forward(self: &Rc<Self>, request: Request) -> Option<Response> {
        let hop = self.weather.gateway;
        self.travel(0.0, || ()).await;
        if self.strikes(hop.loses_request) {
            return None;
        }
        let response = self.at_gateway(&request);
        self.travel(0.0, || ()).await;
        (!self.strikes(hop.loses_reply)).then_some(response)
    }

    /// Time on the way, in one direction.
    pub async fn travel(&self, dawdles: f64, slow: impl FnOnce()) {
        if self.strikes(dawdles) {
            slow();
            self.sim.pause(3_000.0, 40_000.0).await;
        } else {
            self.sim.pause(5.0, 300.0).await;
        }
    }

    fn spoilt(&self) -> Response {
        let json = |status, body: &str| Response::new(status).body("application/json", body);
        match self.sim.random(|r| r.below(8)) {
            0 => json(500, r#"{"error":"server_error"}"#),
            1 => json(503, "").header("retry-after", "2"),
            2 => json(429, r#"{"error":"slow_down"}"#),
            3 => json(
                403,
                r#"{"RequestError":{"PolicyException":{"MessageId":"POL0001","Text":"Rate Limit Exceeded"}}}"#,
            ),
            4 => json(401, r#"{"error":"invalid_client"}"#),
            5 => Response::new(200).body("text/html", "<h1>Back soon</h1>"),
            6 => Response::new(307).header("location", "https://elsewhere.invalid/"),
            _ => json(200, &" ".repeat(66_000)),
        }
    }

    /// Whether a fault of this probability strikes now.
    pub fn strikes(&self, probability: f64) -> bool {
        let probability = self.weather.now(probability);
        probability > 0.0 && self.sim.chance(probability)
    }
}
