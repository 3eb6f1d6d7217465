//! Other simulators that partitions move to: who they are, and who carries the model's questions to them.
//!
//! The model knows peers by name and waits; here is what takes its [errands](crate::model::migration::journey::Errand), asks
//! and brings the answers back: a peer in this process, or the admin API of another one. `docs/protocol/mobility.md` tells
//! what is asked, and what becomes of a partition when nobody answers.

mod remote;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use uuid::Uuid;

use crate::model::Refusal;
use crate::model::migration::journey::{Answer, Errand, Question, Trouble};
use crate::simulator::{Shared, Simulator};
pub use remote::{Remote, RemoteError};

/// How long a peer may take to answer.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who may take partitions in.
pub trait Peer: fmt::Debug + Send + Sync {
    /// Asks about a journey.
    ///
    /// # Errors
    /// [`Trouble`]: [`Trouble::Refused`] only if the peer said so itself.
    fn ask<'a>(
        &'a self,
        journey: Uuid,
        question: &'a Question,
    ) -> BoxFuture<'a, Result<Answer, Trouble>>;
}

/// The peers of a simulator by name.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    all: RwLock<BTreeMap<String, Arc<dyn Peer>>>,
}

impl Peers {
    fn get(&self, name: &str) -> Option<Arc<dyn Peer>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.get(name).map(Arc::clone)
    }

    fn add(&self, name: &str, peer: Arc<dyn Peer>) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), peer);
    }
}

/// A simulator in this process as somebody's peer. It does not keep it alive.
#[derive(Clone)]
struct Near(Weak<Shared>);

impl fmt::Debug for Near {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Near")
    }
}

impl Peer for Near {
    fn ask<'a>(
        &'a self,
        journey: Uuid,
        question: &'a Question,
    ) -> BoxFuture<'a, Result<Answer, Trouble>> {
        let simulator = Simulator::revived(&self.0);
        async move {
            match simulator {
                Some(simulator) => simulator.answer_peer(journey, question),
                None => Err(Trouble::Silence("it has ended".to_owned())),
            }
        }
        .boxed()
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.message)
    }
}

/// For as long as this lives, the questions of a simulator's model are carried to its peers.
#[derive(Debug)]
pub struct Attending(tokio::task::JoinHandle<()>);

impl Drop for Attending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Simulator {
    /// This simulator as a peer of another one in the same process.
    #[must_use]
    pub fn as_peer(&self) -> Arc<dyn Peer> {
        Arc::new(Near(self.downgraded()))
    }

    /// From now on partitions can move to the systems of `peer`: to migrations whose `TargetRemoteHMCIPAddress` is `name`.
    /// Somebody has to carry the questions: [`Simulator::attend_peers`], or a server.
    pub fn add_peer(&self, name: &str, peer: Arc<dyn Peer>) {
        self.shared().peers.add(name, peer);
        let known = self.commit(|world, _| {
            Arc::make_mut(&mut world.peers).insert(name.to_owned());
            Ok::<_, Refusal>(())
        });
        if let Err(refusal) = known {
            tracing::error!(
                refusal = refusal.message,
                "a peer is not known to the model"
            );
        }
    }

    /// Answers a peer's question about a journey to this simulator.
    ///
    /// # Errors
    /// [`Trouble::Refused`] with the reason.
    pub fn answer_peer(&self, journey: Uuid, question: &Question) -> Result<Answer, Trouble> {
        // A refusal may have ended the journey, which has to stay so.
        self.commit(|world, now| Ok::<_, Trouble>(world.answer(now, journey, question)))?
    }

    /// Carries the questions of the model to the peers, in a task of the runtime that this is called in.
    #[must_use]
    pub fn attend_peers(&self) -> Attending {
        Attending(tokio::spawn(self.clone().attend()))
    }

    /// Carries them for ever.
    pub(crate) async fn attend(self) {
        loop {
            let busy = self.enter();
            let came_back = self.run_errands().await;
            let changed = self.shared().changed.notified();
            if !came_back {
                // It cannot be told to the model, which would be a bug: not in a hurry.
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            match self.world().next_due() {
                Some(due) => tokio::select! {
                    () = changed => {}
                    () = self.clock().wait_until(due) => {}
                },
                None => {
                    drop(busy);
                    changed.await;
                }
            }
        }
    }

    /// Asks peers what is to be asked now, one question after another of each peer, until there is nothing to ask. False
    /// if the model did not take an answer.
    pub async fn run_errands(&self) -> bool {
        loop {
            let mut by_peer: BTreeMap<String, Vec<(u64, Errand)>> = BTreeMap::new();
            for (id, errand) in self.world().errands_ready() {
                let errand = (id, errand.clone());
                by_peer
                    .entry(errand.1.peer.clone())
                    .or_default()
                    .push(errand);
            }
            if by_peer.is_empty() {
                return true;
            }
            let asked = by_peer.into_iter().map(|(name, errands)| async move {
                let mut heard = true;
                for (id, errand) in errands {
                    let answer = self.ask_peer(&name, &errand).await;
                    heard &= self.bring(id, answer);
                }
                heard
            });
            if join_all(asked).await.contains(&false) {
                return false;
            }
        }
    }

    async fn ask_peer(&self, name: &str, errand: &Errand) -> Result<Answer, Trouble> {
        let Some(peer) = self.shared().peers.get(name) else {
            return Err(Trouble::Silence("nobody knows where it is".to_owned()));
        };
        let question = errand.question();
        let answer = tokio::time::timeout(PATIENCE, peer.ask(errand.journey, &question)).await;
        let answer = answer.unwrap_or_else(|_| {
            let seconds = PATIENCE.as_secs();
            Err(Trouble::Silence(format!(
                "no answer within {seconds} seconds"
            )))
        });
        if let Err(Trouble::Silence(why)) = &answer {
            tracing::warn!(peer = name, why, "a peer does not answer");
        }
        answer
    }

    fn bring(&self, id: u64, answer: Result<Answer, Trouble>) -> bool {
        let heard = self.commit(|world, now| {
            world.hear(now, id, answer);
            Ok::<_, Refusal>(())
        });
        heard.is_ok()
    }
}
