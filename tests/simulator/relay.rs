//! The relay as its host drives it: `src/shell/relay.js`, step for step.

use std::rc::Rc;

use att_oauth::protocol::http::{Request, Response};
use att_oauth::relay::{self, Ask, Step};

use crate::engine::{Finally, Promise};
use crate::world::World;

impl World {
    /// Takes a request; resolves to nothing if the host dies over it.
    pub fn relay(self: &Rc<Self>, request: Request) -> Promise<Option<Response>> {
        let reply = Promise::new(&self.sim);
        let (world, done) = (self.clone(), reply.clone());
        self.sim.spawn(self.isolate.get(), async move {
            let orphaned = done.clone();
            let _crash = Finally(move || orphaned.resolve(None));
            let response = world.answer(&request).await;
            done.resolve(Some(response));
        });
        reply
    }

    async fn answer(self: &Rc<Self>, request: &Request) -> Response {
        let step = self.take(request).await;
        let Step::Respond {
            response,
            after,
            log,
        } = step
        else {
            unreachable!("only a response is left")
        };
        self.sim.note(|| {
            format!(
                "  relay: {} {} {}",
                request.path(),
                response.status,
                log.reason
            )
        });
        self.learn_label(request, &response);
        for Ask { vault, command } in after {
            let world = self.clone();
            self.sim.spawn(self.isolate.get(), async move {
                let _ = world.ask_vault(&vault, &command).await;
            });
        }
        response
    }

    /// The reply says by which label browsers know the session of a token.
    fn learn_label(&self, request: &Request, response: &Response) {
        if request.path().ends_with("/token") && response.status == 200 {
            let reply: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
            let text = |name: &str| reply[name].as_str().unwrap().to_owned();
            let mut ledger = self.ledger.borrow_mut();
            ledger.label_given(&text("session"), &text("access_token"));
        }
    }

    /// Steps until there is a response.
    async fn take(self: &Rc<Self>, request: &Request) -> Step {
        let seed = self.sim.random(|r| r.bytes());
        let mut step = relay::begin(&self.config, request, self.sim.now(), &seed);
        if let Step::Ask { ask, then } = step {
            let Ok(answer) = self.ask_vault(&ask.vault, &ask.command).await else {
                return relay::broken(&self.config, request, "internal");
            };
            let seed = self.sim.random(|r| r.bytes());
            step = relay::finish(&self.config, then, answer, self.sim.now(), &seed);
        }
        match step {
            Step::Forward {
                request: forwarded,
                origin,
                generation,
                ..
            } => {
                let reply = self.forward(forwarded).await;
                let status = reply.as_ref().map(|reply| reply.status);
                let (headers, body) =
                    reply.map_or_else(Default::default, |reply| (reply.headers, reply.body));
                let (mut response, log) =
                    relay::api_response(&self.config, origin, status, &headers, generation);
                if response.body.is_empty() {
                    response.body = body;
                }
                Step::Respond {
                    response,
                    log,
                    after: Vec::new(),
                }
            }
            step => step,
        }
    }
}
