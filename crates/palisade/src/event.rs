//! What happened is said: the typed security events of the log.
