//! What the tests stand on: Redis servers of their own, and a look from outside.
