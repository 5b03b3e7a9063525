package dev.wukong.cli;

import dev.wukong.bundle.BatchShape;
import dev.wukong.bundle.Bundle;
import dev.wukong.plan.Learning;
import dev.wukong.plan.Machines;
import dev.wukong.plan.ModelSize;
import dev.wukong.plan.Plan;
import dev.wukong.plan.TableLoad;
import dev.wukong.plan.Traffic;
import dev.wukong.profile.GraphProfile;
import dev.wukong.terminal.TextTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code plan}. */
@Command(
    name = "plan",
    description = {
      "Says how large a deployment must be for a model and its traffic: replicas, memory, disk,"
          + " partitions and bytes of Kafka, memory of Redis.",
      "The graph of a BUNDLE is measured on this machine, on one core: cores are cores like this"
          + " one. Without a bundle, --table, --dense and --graph-micros describe the model."
    },
    mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
  private static final Pattern TABLE =
      Pattern.compile(
          "(?<rows>[0-9]{1,18}):(?<width>[0-9]{1,9}):(?<context>[0-9]{1,9}):(?<candidate>[0-9]{1,9})");

  /** Runs of the graph that are measured. */
  private static final int RUNS = 30;

  @Parameters(
      index = "0",
      arity = "0..1",
      description = "A bundle's folder, <root>/<model>/<version>, or <root>/<model>.")
  private @Nullable Path bundle;

  @Option(names = "--requests", required = true, description = "Requests a second, at the peak.")
  private double requests;

  @Option(names = "--candidates", description = "Candidates a request (${DEFAULT-VALUE}).")
  private int candidates = 500;

  @Option(
      names = "--seen",
      description = "Candidates of a request that its user sees (${DEFAULT-VALUE}).")
  private double seen = 10;

  @Option(
      names = "--labels",
      description = "Labels of a candidate that is seen (${DEFAULT-VALUE}).")
  private double labels = 0.05;

  @Option(
      names = "--logged",
      description =
          "Share of the requests that are logged and learned from, wukong.online.sample"
              + " (${DEFAULT-VALUE}).")
  private double logged = 1;

  @Option(names = "--growth", description = "Rows by those of the BUNDLE, once it has learned (1).")
  private @Nullable Double growth;

  @Option(
      names = "--table",
      paramLabel = "ROWS:WIDTH:CONTEXT:CANDIDATE",
      description =
          "A table of a model without a bundle: its rows, floats a row, ids of it in a context and"
              + " in a candidate. May be repeated.")
  private List<String> tables = List.of();

  @Option(
      names = "--dense",
      description = "Dense weights of a model without a bundle: those that are no rows.")
  private @Nullable Long dense;

  @Option(
      names = "--graph-micros",
      description =
          "Microseconds of a core for a candidate in the graph; measured where there is a bundle.")
  private @Nullable Double graphMicros;

  @Option(names = "--commit-every", description = "Seconds between commits (${DEFAULT-VALUE}).")
  private double commitEvery = 1;

  @Option(
      names = "--healthy-every",
      description = "Seconds between states to step back to (${DEFAULT-VALUE}).")
  private double healthyEvery = 60;

  @Option(names = "--skew", description = "Zipf's exponent of ids (${DEFAULT-VALUE}).")
  private double skew = 1.05;

  @Option(names = "--cores", description = "Cores of a replica (${DEFAULT-VALUE}).")
  private double cores = 4;

  @Option(names = "--busy", description = "Share of them that may be busy (${DEFAULT-VALUE}).")
  private double busy = 0.6;

  @Option(
      names = "--spare",
      description = "Replicas that may be away at the peak (${DEFAULT-VALUE}).")
  private int spare = 1;

  @Option(names = "--resident", description = "Share of rows in memory (${DEFAULT-VALUE}).")
  private double resident = 1;

  @Option(names = "--replication", description = "Copies of Kafka's topics (${DEFAULT-VALUE}).")
  private int replication = 3;

  @Option(
      names = "--retention-hours",
      description = "Hours that topics are kept (${DEFAULT-VALUE}).")
  private double retentionHours = 168;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    Traffic traffic = new Traffic(requests, candidates, seen, labels, logged);
    Learning learning = new Learning(commitEvery, skew, healthyEvery);
    Machines machines = new Machines(cores, busy, spare, resident, replication, retentionHours);
    Planned planned = planned();
    ModelSize model = planned.size();
    Plan plan = Plan.of(traffic, model, learning, machines);
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%,d rows in %d tables, %,d dense weights; a candidate takes %.2f us of a core in the"
            + " graph%n%n",
        model.rows(), model.tables().size(), model.dense(), model.graphMicros());
    table(traffic, learning, machines, plan).print(out);
    out.println();
    if (plan.trainingCores() > 1) {
      out.printf(
          "Learning takes more than the thread has that learns: labels would come later and later."
              + " Log less (--logged %s) or commit less often (--commit-every).%n%n",
          lessLogged(plan));
    }
    new PlannedValues(planned.name(), traffic, learning, machines, plan).print(out);
    out.flush();
    return 0;
  }

  /** That the thread could learn from, if commits cost nothing: two digits of it, rounded down. */
  private String lessLogged(Plan plan) {
    return new BigDecimal(logged / plan.trainingCores())
        .round(new MathContext(2, RoundingMode.DOWN))
        .toPlainString();
  }

  /** What is planned for. */
  private record Planned(String name, ModelSize size) {}

  private Planned planned() throws IOException {
    if (bundle == null) {
      return new Planned("MODEL", described());
    }
    refuse("--table", !tables.isEmpty());
    refuse("--dense", dense != null);
    double rows = growth == null ? 1 : growth;
    if (!(rows >= 0.01 && rows <= 1e6)) {
      throw new IllegalArgumentException("--growth is %s, want 0.01 to 1000000".formatted(rows));
    }
    try (Bundle opened = BundleCommand.open(bundle)) {
      double micros = graphMicros == null ? measured(opened) : graphMicros;
      return new Planned(opened.manifest().model(), ModelSize.of(opened, micros, rows));
    }
  }

  private ModelSize described() {
    if (tables.isEmpty() || dense == null || graphMicros == null) {
      throw new ParameterException(
          spec.commandLine(),
          "there is no BUNDLE, want one, or --table, --dense and --graph-micros");
    }
    if (growth != null) {
      throw new ParameterException(
          spec.commandLine(),
          "--growth is given without a BUNDLE: say the rows that there will be in --table");
    }
    return new ModelSize(tables.stream().map(PlanCommand::table).toList(), 0, dense, graphMicros);
  }

  private void refuse(String option, boolean given) {
    if (given) {
      throw new ParameterException(
          spec.commandLine(), "BUNDLE and %s are both given, want one of them".formatted(option));
    }
  }

  private double measured(Bundle opened) throws IOException {
    boolean context = opened.layout().schema().hasContext();
    BatchShape shape = new BatchShape(candidates, context ? 1 : 0);
    return 1000 * GraphProfile.millis(opened, shape, RUNS) / candidates;
  }

  private static TableLoad table(String text) {
    Matcher parts = TABLE.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "--table is '%s', want ROWS:WIDTH:CONTEXT:CANDIDATE such as 1000000:16:1:0"
              .formatted(text));
    }
    try {
      return new TableLoad(
          Long.parseLong(parts.group("rows")),
          Integer.parseInt(parts.group("width")),
          Integer.parseInt(parts.group("context")),
          Integer.parseInt(parts.group("candidate")));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--table is '%s': %s".formatted(text, e.getMessage()), e);
    }
  }

  private TextTable table(Traffic traffic, Learning learning, Machines machines, Plan plan) {
    TextTable table = new TextTable("what", "how much", "by what");
    table.row(
        "replicas",
        Integer.toString(plan.replicas()),
        "%s cores each, of which %.0f %% may be busy; %d may be away%s"
            .formatted(
                number(machines.cores()),
                100 * machines.busy(),
                machines.spare(),
                plan.separate() ? "" : "; one of them trains"));
    table.row(
        "trainers of their own",
        plan.separate() ? "1" : "0",
        plan.separate()
            ? "%s cores; fewer machines than if a replica trained"
                .formatted(number(plan.trainerCores(machines)))
            : "a replica has the cores to train");
    table.row(
        "cores to answer",
        number(plan.servingCores()),
        "%.2f us a candidate, %,.0f candidates a second"
            .formatted(plan.rowMicros(), traffic.requests() * traffic.candidates()));
    table.row(
        "cores to learn",
        number(plan.trainingCores()),
        "%,.0f examples a second; one thread learns, of one core at most"
            .formatted(traffic.examples()));
    table.row(
        "cores to follow",
        number(plan.followingCores()),
        "each replica: %,.0f rows each %s s"
            .formatted(plan.commit().rows(), number(learning.commitSeconds())));
    table.row(
        "memory of a replica",
        bytes(plan.replicaBytes()),
        "%s of it rows, %.0f %% of all"
            .formatted(bytes(plan.residentBytes()), 100 * machines.resident()));
    table.row("memory of the trainer", bytes(plan.trainerBytes()), "the one that trains");
    table.row(
        "disk of a replica", bytes(plan.storeBytes()), "its store, once all rows were learned");
    table.row(
        "a commit",
        bytes(plan.commit().bytes()),
        "%s serve, %s are for who trains next"
            .formatted(bytes(plan.commit().servedBytes()), bytes(plan.commit().rememberedBytes())));
    table.row(
        "Kafka, written a second",
        bytes(plan.brokers().written()),
        "predictions %s, users %s, commits %s; before compression"
            .formatted(
                bytes(plan.brokers().features()),
                bytes(plan.brokers().labels()),
                bytes(plan.brokers().commits())));
    table.row("Kafka, read a second", bytes(plan.brokers().read()), "by all replicas");
    table.row(
        "Kafka, partitions",
        Integer.toString(plan.brokers().partitions()),
        "of features, labels, deltas and states");
    table.row(
        "Kafka, disk",
        bytes(plan.brokers().diskBytes()),
        "%s hours, %d copies".formatted(number(machines.retentionHours()), machines.replication()));
    table.row(
        "Redis, memory",
        bytes(plan.redisBytes()),
        "only where replicas serve from it; twice that with a replica of each master");
    return table;
  }

  static String number(double value) {
    String text = String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.0f", value);
    return text.contains(".") ? text.replaceAll("\\.?0+$", "") : text;
  }

  private static String bytes(double bytes) {
    String[] units = {"B", "kB", "MB", "GB", "TB", "PB"};
    int unit = 0;
    double value = bytes;
    while (value >= 1000 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    return number(value) + " " + units[unit];
  }
}
