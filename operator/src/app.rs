//! The app controller.

use crate::{Shutdown, context::Context};
use std::sync::Arc;

/// Runs the controller until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    let _ = context;
    shutdown.await;
}
