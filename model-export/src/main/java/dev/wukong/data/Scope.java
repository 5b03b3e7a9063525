package dev.wukong.data;

/** Whose value a feature holds: the request's (user, query, time of day) or one candidate's. */
public enum Scope {
  CONTEXT,
  CANDIDATE
}
