package dev.wukong.serving.events;

/** What kind of event one is: how it is marked in the log, and how it is called in meters. */
enum EventKind {
  SCORED(1, "scored"),
  EXPOSED(2, "exposed"),
  LABELLED(3, "labelled"),
  BOUNDARY(4, "boundary"),
  FROZEN(5, "frozen"),
  ORDERED(6, "ordered"),
  SEQUENCED(7, "sequenced");

  private final int code;
  private final String label;

  EventKind(int code, String label) {
    this.code = code;
    this.label = label;
  }

  /** Marks it in the log; never changed, never used again. */
  int code() {
    return code;
  }

  /** Its name in meters. */
  String label() {
    return label;
  }

  /** The kind of {@code event}. */
  static EventKind of(Event event) {
    return switch (event) {
      case Event.Scored _ -> SCORED;
      case Event.Exposed _ -> EXPOSED;
      case Event.Labelled _ -> LABELLED;
      case Event.Boundary _ -> BOUNDARY;
      case Event.Frozen _ -> FROZEN;
      case Event.Ordered _ -> ORDERED;
      case Event.Sequenced _ -> SEQUENCED;
    };
  }
}
