package dev.wukong.serving.gating;

import dev.wukong.serving.gating.Decision.Hide;
import dev.wukong.serving.gating.Decision.Keep;
import dev.wukong.serving.gating.Decision.Promote;
import dev.wukong.serving.gating.Decision.Publish;
import dev.wukong.serving.gating.Decision.TakeBack;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides at each commit whether what was learned is visible, by what it and the last healthy state
 * said of the same examples before either knew their labels. What it decides depends on what it is
 * told and on {@link #bytes its state} alone, so that who does all again decides the same. One
 * thread, that of training.
 */
public final class Gate {
  private static final int FORM = 4;

  /** In quarantine, labels are looked at in parts of this time: one without strangeness ends it. */
  private static final long PART_MS = Duration.ofSeconds(10).toMillis();

  private static final int HEADER =
      Integer.BYTES + 2 + 2 * Long.BYTES + 2 * Integer.BYTES + JumpLimit.BYTES;

  private final GatePolicy policy;
  private final Slices slices;
  private final GateWindow window;
  private final UsualSurprise usual;
  private final JumpLimit jumps;

  private GatePhase phase;
  private Verdict verdict = new Verdict.Open("nothing was learned yet");

  /** Whether what serves has changed since the last promotion. */
  private boolean visible;

  /** Whether the next decision ends that, unless it decides more: never longer than until then. */
  private boolean hides;

  /** When the window began, by the log's clock; 0: with the first commit. */
  private long sinceMs;

  /** When the last promotion was, or the phase began if that was later. */
  private long phaseMs;

  private int failures;

  /** Which of the shares a canary has. */
  private int stage;

  /**
   * A gate before anything was learned.
   *
   * @param tasks names
   */
  public Gate(GatePolicy policy, List<String> tasks, Slices slices) {
    this.policy = policy;
    this.slices = slices;
    this.window = new GateWindow(tasks, slices.names());
    this.usual = new UsualSurprise(tasks.size());
    this.jumps = new JumpLimit(policy.mostJump());
    this.phase = policy.mode() == GateMode.DIRECT ? GatePhase.OPEN : GatePhase.HOLDING;
  }

  /** Names of the tasks. */
  public List<String> tasks() {
    return window.tasks();
  }

  /** The parts of examples that are looked at apart. */
  public Slices slices() {
    return slices;
  }

  /** When what is learned is visible. */
  public GateMode mode() {
    return policy.mode();
  }

  /** What is done with what comes to be learned. */
  public GatePhase phase() {
    return phase;
  }

  /** What the figures said at the last commit. */
  public Verdict verdict() {
    return verdict;
  }

  /** How often in a row training was taken back soon after it had begun. */
  public int failures() {
    return failures;
  }

  /** Whether it was taken back so often that going on makes no sense. */
  public boolean hopeless() {
    return failures >= policy.failures();
  }

  /** Figures since the window began. */
  public List<Figures> figures() {
    return window.figures();
  }

  /** Whether examples are to be learned from. */
  public boolean learns() {
    return phase != GatePhase.QUARANTINED;
  }

  /** Whether what serves is what was learned by the last commit, not the healthy state. */
  public boolean visible() {
    return visible;
  }

  /** The share of requests that what was learned is to answer before it is promoted; 0: none. */
  public double share() {
    return policy.mode() == GateMode.CANARY && phase == GatePhase.HOLDING
        ? policy.canary().get(stage)
        : 0;
  }

  /** An example was scored, before it is learned from. */
  public void add(Judged example) {
    window.add(example);
  }

  /**
   * What a commit changes.
   *
   * @param steps that it has
   * @param moved mean of the logits by which golden rows have moved since the commit before
   * @param movedMost the largest of these
   * @param norm the largest of a changed row
   * @param unfit why it must not be served whatever else is; empty: nothing speaks against it
   */
  public record Change(
      long steps, double moved, double movedMost, double norm, Optional<String> unfit) {}

  /**
   * What is to become of a commit.
   *
   * @param nowMs by the log's clock
   */
  public Decision decide(long nowMs, Change change) {
    if (sinceMs == 0) {
      begin(nowMs);
    }
    window.pass(nowMs);
    learnUsual(nowMs);
    if (phase == GatePhase.QUARANTINED) {
      window.unusual();
      return quarantine(nowMs);
    }
    if (visible && policy.mode() != GateMode.DIRECT) {
      return promote(nowMs); // Of another mode before: what serves already is healthy.
    }
    String unfit = unfit(change);
    Verdict judged = Judge.of(window, usual, policy);
    // Strange labels make anything unfit: training again would end the same.
    verdict = unfit == null || judged instanceof Verdict.Strange ? judged : new Verdict.Bad(unfit);
    if (verdict instanceof Verdict.Good || verdict instanceof Verdict.Open) {
      window.usual(policy.every());
    }
    return switch (verdict) {
      case Verdict.Bad bad -> takeBack(nowMs, bad.reason(), GatePhase.HOLDING);
      case Verdict.Strange strange -> takeBack(nowMs, strange.reason(), GatePhase.QUARANTINED);
      case Verdict.Good _ -> {
        boolean due = nowMs - sinceMs >= policy.every().toMillis();
        yield due ? good(nowMs) : goOn(nowMs);
      }
      case Verdict.Open open ->
          nowMs - phaseMs < policy.patience().toMillis() ? goOn(nowMs) : atLast(nowMs, open);
    };
  }

  private Decision good(long nowMs) {
    return switch (policy.mode()) {
      case DIRECT, GATED -> promote(nowMs);
      case SHADOW -> goOn(nowMs);
      case CANARY -> widen(nowMs);
    };
  }

  /** A canary that does well is given more, in the end all. */
  private Decision widen(long nowMs) {
    boolean told = window.positives(Slices.CANARY) >= GatePolicy.ENOUGH_OF_CANARY;
    // So few requests are no reason to let the healthy state grow old.
    if (!told && nowMs - phaseMs < policy.patience().toMillis()) {
      return goOn(nowMs);
    }
    if (stage + 1 == policy.canary().size()) {
      return promote(nowMs);
    }
    stage++;
    begin(nowMs);
    return new Keep();
  }

  /**
   * For so long nothing could be decided, which is no failure: in a world that stands still, a
   * candidate is hardly ever better.
   */
  private Decision atLast(long nowMs, Verdict.Open open) {
    boolean direct = policy.mode() == GateMode.DIRECT;
    if (policy.mode() == GateMode.SHADOW || (phase == GatePhase.HOLDING && !window.tells())) {
      return goOnForAsLong(nowMs);
    }
    String reason = "for too long, " + open.reason();
    return switch (Judge.atLast(window, policy)) {
      case NO_WORSE -> good(nowMs);
      case UNKNOWN -> direct ? promote(nowMs) : goOnForAsLong(nowMs);
      case WORSE -> direct ? promote(nowMs) : back(nowMs, reason, GatePhase.HOLDING);
      case HARMFUL -> back(nowMs, reason, GatePhase.HOLDING);
    };
  }

  /** Examples add up, and are looked at again after as long. */
  private Decision goOnForAsLong(long nowMs) {
    phaseMs = nowMs;
    return goOn(nowMs);
  }

  /**
   * Labels are missing, or come late and many at once: what is learned from them is not visible
   * before it has shown to be no worse, in whatever mode.
   */
  public void hold() {
    if (phase == GatePhase.OPEN) {
      phase = GatePhase.HOLDING;
      hides = visible;
    }
  }

  /**
   * What is usual is known once a healthy state that expects about as many labels as there are was
   * looked at for long enough; whether anything is promoted then or not.
   */
  private void learnUsual(long nowMs) {
    if (phase == GatePhase.QUARANTINED || nowMs - sinceMs < policy.every().toMillis()) {
      return;
    }
    for (int task = 0; task < usual.tasks(); task++) {
      Tally all = window.of(task, Slices.ALL);
      if (!usual.knows(task) && all.tells(GatePolicy.ENOUGH) && Judge.fits(all)) {
        usual.become(task, all, Scorer.HEALTHY);
      }
    }
  }

  private @Nullable String unfit(Change change) {
    if (change.unfit().isPresent()) {
      return change.unfit().get();
    }
    if (!(change.norm() <= policy.mostNorm())) { // Also where it is no number.
      return "a row has length %s, allowed is %s".formatted(change.norm(), policy.mostNorm());
    }
    return jumps.exceeded(change).orElse(null);
  }

  /** Decisions of operators: what was learned is healthy, and so are the labels that come. */
  public Decision accept(long nowMs) {
    failures = 0;
    verdict = new Verdict.Good("operators say so");
    boolean strange = phase == GatePhase.QUARANTINED;
    if (strange) {
      window.unusual();
    }
    Decision decision = promote(nowMs);
    if (strange) {
      usual.forget(); // Else the same labels, still unlike what it expects, end it at once.
    }
    return decision;
  }

  /** The same: it is taken back. */
  public Decision takeBack(long nowMs) {
    String reason = "operators step back";
    verdict = new Verdict.Bad(reason);
    usual.forget();
    return back(nowMs, reason, GatePhase.HOLDING);
  }

  private Decision goOn(long nowMs) {
    if (policy.mode() == GateMode.SHADOW && nowMs - sinceMs >= policy.patience().toMillis()) {
      return restart(nowMs);
    }
    if (phase == GatePhase.OPEN) {
      visible = true;
      return new Publish();
    }
    return stay();
  }

  /** Figures of long ago say nothing of now. */
  private Decision restart(long nowMs) {
    begin(nowMs);
    return stay();
  }

  /** Nothing more becomes visible, and what is to be hidden is now: nobody will know later. */
  private Decision stay() {
    if (!hides) {
      return new Keep();
    }
    hides = false;
    visible = false;
    return new Hide();
  }

  private Decision promote(long nowMs) {
    for (int task = 0; task < usual.tasks(); task++) {
      Tally all = window.of(task, Slices.ALL);
      if (all.tells(GatePolicy.ENOUGH)) {
        if (!usual.knows(task)) {
          window.forget(task); // The healthy state until now did not fit what comes.
        }
        usual.become(task, all, Scorer.CANDIDATE);
      }
    }
    failures = 0;
    stage = 0;
    hides = false;
    visible = false; // That is, not beyond the healthy state, which this is now.
    phase = policy.mode() == GateMode.DIRECT ? GatePhase.OPEN : GatePhase.HOLDING;
    begin(nowMs);
    return new Promote();
  }

  /**
   * It has failed where it did soon: what has learned for long and has become worse may well become
   * better when it learns again from what is healthy.
   */
  private Decision takeBack(long nowMs, String reason, GatePhase next) {
    boolean soon = nowMs - sinceMs < policy.every().toMillis();
    failures += soon && next != GatePhase.QUARANTINED ? 1 : 0;
    return back(nowMs, reason, next);
  }

  private Decision back(long nowMs, String reason, GatePhase next) {
    phase = next;
    window.unusual();
    stage = 0;
    hides = false;
    visible = false;
    begin(nowMs);
    return new TakeBack(reason);
  }

  private Decision quarantine(long nowMs) {
    Verdict.Strange strange = Judge.strange(window, usual);
    boolean fits = false;
    for (int task = 0; task < usual.tasks(); task++) {
      Tally all = window.of(task, Slices.ALL);
      // That nothing is strange may be as little can be told.
      fits |=
          usual.knows(task) && all.expected(Scorer.HEALTHY) >= GatePolicy.ENOUGH && Judge.fits(all);
    }
    if (strange != null) {
      verdict = strange;
    }
    if (nowMs - phaseMs >= policy.patience().toMillis()) {
      // So long it is no accident: the world has become another, and the model is to learn it.
      usual.forget();
      end(nowMs, "labels were strange for so long that they are the usual ones now");
    } else if (strange == null && fits && nowMs - sinceMs >= PART_MS) {
      end(nowMs, "labels are as usual again");
    } else if (strange != null && nowMs - sinceMs >= PART_MS) {
      window.clear();
      sinceMs = nowMs;
    }
    return new Keep();
  }

  private void end(long nowMs, String reason) {
    phase = GatePhase.HOLDING;
    verdict = new Verdict.Open(reason);
    begin(nowMs);
  }

  private void begin(long nowMs) {
    window.clear();
    sinceMs = nowMs;
    phaseMs = nowMs;
  }

  /** All of it, to be written with the commit. */
  public byte[] bytes() {
    ByteBuffer to = ByteBuffer.allocate(HEADER + usual.bytes() + window.bytes());
    to.putInt(FORM);
    to.put(phase.code()).put((byte) (visible ? 1 : 0));
    to.putLong(sinceMs).putLong(phaseMs).putInt(failures).putInt(stage);
    jumps.write(to);
    usual.write(to);
    window.write(to);
    return to.array();
  }

  /**
   * Goes on where {@link #bytes} were made.
   *
   * @throws IllegalStateException where they are of another build
   */
  public void restore(byte[] bytes) {
    ByteBuffer from = ByteBuffer.wrap(bytes);
    if (bytes.length < HEADER || from.getInt() != FORM) {
      throw new IllegalStateException("what the gate knew was written by another build");
    }
    phase = GatePhase.of(from.get());
    visible = from.get() != 0;
    sinceMs = from.getLong();
    phaseMs = from.getLong();
    failures = from.getInt();
    stage = Math.min(from.getInt(), policy.canary().size() - 1);
    jumps.read(from);
    usual.read(from);
    window.read(from);
    if (phase == GatePhase.OPEN && policy.mode() != GateMode.DIRECT) {
      phase = GatePhase.HOLDING;
    }
  }
}
