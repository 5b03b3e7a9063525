package dev.wukong.training;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.wukong.data.EncodedExamples;
import dev.wukong.data.Group;
import dev.wukong.data.InputNames;
import dev.wukong.graph.Shape;
import dev.wukong.objective.StepGraph;
import dev.wukong.objective.UpdateRule;
import dev.wukong.runtime.OnnxRuntime;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The whole steps are the graph's, K minibatches a run: weights, rows and optimizer state enter and
 * leave the device once in K steps.
 */
final class GraphStepper implements Stepper {
  private final StepGraph graph;
  private final UpdateRule rule;
  private final TrainState state;
  private final OrtSession session;
  private final WeightTensors tensors;
  private final BatchRunner runner;
  private final BatchInputs inputs;

  /** By input name: where the new state of a dense weight lands. */
  private final Map<String, Floats> newStates = new LinkedHashMap<>();

  /**
   * Steps on {@code state}.
   *
   * @param session of {@code graph}'s block
   */
  GraphStepper(
      StepGraph graph,
      UpdateRule rule,
      TrainState state,
      OrtSession session,
      WeightTensors tensors,
      BatchRunner runner,
      BatchInputs inputs) {
    this.graph = graph;
    this.rule = rule;
    this.state = state;
    this.session = session;
    this.tensors = tensors;
    this.runner = runner;
    this.inputs = inputs;
    state
        .weights()
        .places()
        .forEach(
            (name, place) -> {
              for (int i = 0; i < state.weights().stateSlots(); i++) {
                newStates.put(StepGraph.state(i, name), new Floats(state.arena(), place.length()));
              }
            });
  }

  @Override
  public List<TrainSession.Step> run(EncodedExamples block, Steps steps) {
    int count = steps.count();
    state.rows().bind(block, true);
    FloatBuffer losses = state.buffers().floats("loss", count);
    int length = Math.multiplyExact(block.rows(), state.tasks());
    ByteBuffer probabilities = state.buffers().bytes("probabilities", length * Float.BYTES);
    try (Run run = new Run()) {
      tensors.bind(run);
      runner.bindRows(run);
      for (RowBlock input : inputs.examples(block, graph.masks(), steps)) {
        run.input(input.name(), input.minibatches(OnnxRuntime.environment(), count));
      }
      rates(run, steps);
      denseState(run);
      run.output("loss", Run.tensor(losses, count));
      run.output(
          "probabilities",
          new RowBlock("probabilities", probabilities, OnnxJavaType.FLOAT, state.tasks())
              .minibatches(OnnxRuntime.environment(), count));
      List<NewRows> newRows = new ArrayList<>();
      for (int group = 0; group < state.layout().groups().size(); group++) {
        newRows.add(rowState(run, group));
      }
      run.execute(session);
      for (int k = 0; k < count; k++) {
        Stepper.checkFinite(losses.get(k), steps.first() + k);
      }
      takeOver(newRows);
    } catch (OrtException e) {
      throw new IllegalStateException(
          "training steps from " + steps.first() + " failed: " + e.getMessage(), e);
    }
    return Stepper.results(losses, probabilities, count);
  }

  private void rates(Run run, Steps steps) throws OrtException {
    rate(run, "learning_rate", state.config().dense().learningRate(), steps.factors());
    rate(
        run,
        "learning_rate.rows",
        state.config().rows().optimizer().learningRate(),
        steps.rowFactors());
    LongBuffer number = state.buffers().longs("step", 1);
    number.put(0, steps.first());
    run.input("step", OnnxTensor.createTensor(OnnxRuntime.environment(), number, new long[0]));
    LongBuffer next = state.buffers().longs("new/step", 1);
    run.output("new/step", OnnxTensor.createTensor(OnnxRuntime.environment(), next, new long[0]));
  }

  private void rate(Run run, String name, double rate, double[] factors) throws OrtException {
    FloatBuffer buffer = state.buffers().floats(name, factors.length);
    for (int k = 0; k < factors.length; k++) {
      buffer.put(k, (float) (rate * factors[k]));
    }
    run.input(name, Run.tensor(buffer, factors.length));
  }

  private void denseState(Run run) throws OrtException {
    for (Map.Entry<String, WeightState.Place> e : state.weights().places().entrySet()) {
      long[] shape = e.getValue().shape().sizes();
      // New weights land where gradients would; taken over when all is well.
      run.output("new/" + e.getKey(), Run.tensor(state.weights().gradient(0, e.getKey()), shape));
      for (int i = 0; i < state.weights().stateSlots(); i++) {
        String name = StepGraph.state(i, e.getKey());
        run.input(name, Run.tensor(state.weights().state(i, e.getKey()), shape));
        run.output("new/" + name, Run.tensor(newState(name), shape));
      }
    }
    for (Map.Entry<String, WeightState.Place> e : state.statistics().places().entrySet()) {
      FloatBuffer landing = state.statistics().gradient(0, e.getKey());
      run.output("new/" + e.getKey(), Run.tensor(landing, e.getValue().shape().sizes()));
    }
  }

  private FloatBuffer newState(String name) {
    Floats floats = newStates.get(name);
    if (floats == null) {
      throw new IllegalStateException("no state " + name);
    }
    return floats.buffer(0, floats.length());
  }

  /** Where a run leaves the rows of a group and their state. */
  private record NewRows(FloatBuffer rows, List<FloatBuffer> state) {}

  private NewRows rowState(Run run, int group) throws OrtException {
    Group of = state.layout().groups().get(group);
    String name = InputNames.rows(of);
    Shape shape = Shape.of(state.rows().size(group), of.width());
    FloatBuffer rows = output(run, name, shape);
    List<FloatBuffer> slots = new ArrayList<>();
    for (Shape own : rule.rows().state(shape)) {
      String slot = StepGraph.state(slots.size(), name);
      FloatBuffer before = state.buffers().floats(slot, Math.toIntExact(own.elements().size()));
      state.rows().state(group, slots.size(), before);
      run.input(slot, Run.tensor(before, own.sizes()));
      slots.add(output(run, slot, own));
    }
    return new NewRows(rows, slots);
  }

  private FloatBuffer output(Run run, String name, Shape shape) throws OrtException {
    FloatBuffer buffer =
        state.buffers().floats("new/" + name, Math.toIntExact(shape.elements().size()));
    run.output("new/" + name, Run.tensor(buffer, shape.sizes()));
    return buffer;
  }

  private void takeOver(List<NewRows> newRows) {
    for (WeightState of : List.of(state.weights(), state.statistics())) {
      for (String name : of.places().keySet()) {
        of.buffer(name).put(of.gradient(0, name));
        for (int i = 0; i < of.stateSlots(); i++) {
          of.state(i, name).put(newState(StepGraph.state(i, name)));
        }
      }
    }
    for (int group = 0; group < newRows.size(); group++) {
      state.rows().take(group, newRows.get(group).rows(), newRows.get(group).state());
    }
  }
}
