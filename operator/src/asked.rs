//! What the API server answered last to a question that many ask, each of whom needs an answer that is no
//! older than its question, or not much.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The last answer.
pub struct Asked<T> {
    /// With when the question went out.
    last: Mutex<Option<(Instant, T)>>,
    /// Who holds it asks; those that come meanwhile wait for the answer.
    asking: tokio::sync::Mutex<()>,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self {
            last: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }
}

impl<T: Clone> Asked<T> {
    /// The last answer, whenever that was.
    pub fn last(&self) -> Option<T> {
        self.held().map(|(_, answer)| answer)
    }

    /// The answer to a question that went out now or later: one for all that wait for one.
    ///
    /// # Errors
    /// Those of `ask`; the last answer stays.
    pub async fn now<E>(&self, ask: impl AsyncFnOnce() -> Result<T, E>) -> Result<T, E> {
        self.within(Duration::ZERO, ask).await
    }

    /// The same to one that went out at most `age` ago.
    ///
    /// # Errors
    /// Those of `ask`; the last answer stays.
    pub async fn within<E>(
        &self,
        age: Duration,
        ask: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let begun = Instant::now();
        let _asking = self.asking.lock().await;
        if let Some((asked, answer)) = self.held()
            && asked + age >= begun
        {
            return Ok(answer);
        }
        let asked = Instant::now();
        let answer = ask().await?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((asked, answer.clone()));
        Ok(answer)
    }

    fn held(&self) -> Option<(Instant, T)> {
        let held = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
    };
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn all_that_wait_share_one_answer_which_is_asked_for_after_they_came() {
        let (asked, questions, answers) =
            (Asked::default(), AtomicUsize::new(0), Semaphore::new(0));
        let ask = async || {
            let question = questions.fetch_add(1, Ordering::SeqCst);
            answers.acquire().await.unwrap().forget();
            Ok::<_, Infallible>(question)
        };
        let many = futures::future::join_all((0..10).map(|_| asked.now(ask)));
        let answer = async {
            // The first question is out, and the others came after it.
            answers.add_permits(2);
        };
        let (answers, ()) = futures::join!(many, answer);
        let answers: Vec<usize> = answers.into_iter().map(|Ok(answer)| answer).collect();
        assert_eq!(answers, [[0].as_slice(), &[1; 9]].concat());
        assert_eq!(asked.last(), Some(1));
    }

    #[tokio::test]
    async fn an_error_is_for_whoever_asked() {
        let asked = Asked::default();
        assert_eq!(asked.now(async || Ok::<_, ()>(1)).await, Ok(1));
        assert_eq!(asked.now(async || Err(())).await, Err(()));
        assert_eq!(asked.last(), Some(1));
    }
}
