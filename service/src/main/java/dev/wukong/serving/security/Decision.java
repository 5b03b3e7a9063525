package dev.wukong.serving.security;

import org.jspecify.annotations.Nullable;

/** Whether a call may be. */
sealed interface Decision {
  /** Who calls. */
  Caller caller();

  /** It may. */
  record Allowed(Caller caller) implements Decision {}

  /** It has not been shown who calls. */
  record Unknown(Caller caller, String message) implements Decision {}

  /** Who calls may not. */
  record Forbidden(Caller caller, String message) implements Decision {}

  /**
   * Decides.
   *
   * @param connected who the connection is with
   * @param authorization null where the call has none
   * @param needed null: nobody may, since nothing is stated
   */
  static Decision of(
      RoleBook book, Caller connected, @Nullable String authorization, @Nullable Access needed) {
    if (book.isOpen() || needed == Access.OPEN) {
      return new Allowed(connected);
    }
    Caller caller = book.with(connected, authorization);
    if (caller == null) {
      return new Unknown(
          connected, "the token of this call is not known; want authorization: Bearer <token>");
    }
    if (needed == null) {
      return new Forbidden(caller, "this call is for nobody: no role is stated for it");
    }
    if (needed.given(caller.roles())) {
      return new Allowed(caller);
    }
    return caller.known()
        ? new Forbidden(
            caller,
            "this call needs %s, and '%s' has %s"
                .formatted(
                    needed,
                    caller.name(),
                    caller.roles().isEmpty() ? "none" : caller.roles().toString()))
        : new Unknown(
            caller,
            ("this call needs %s: connect with a certificate that has it, or send a token"
                    + " (authorization: Bearer <token>)")
                .formatted(needed));
  }
}
