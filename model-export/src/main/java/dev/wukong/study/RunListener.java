package dev.wukong.study;

import dev.wukong.training.Trainer;

/** Keeps the curves of a run and tells the board of it. Called by the training thread. */
final class RunListener implements Trainer.Listener {
  /** Points of the loss in an epoch. */
  static final int PARTS = 40;

  private final LineFile<CurvePoint> curve;
  private final LineFile<LossPoint> losses;
  private final Board.Line line;
  private final long trainRows;
  private boolean begun;
  private long parts;

  RunListener(RunFolder folder, Board.Line line, long trainRows) {
    this.curve = folder.curve();
    this.losses = folder.losses();
    this.line = line;
    this.trainRows = trainRows;
  }

  /** What lies after the checkpoint that training goes on from is made again. */
  private void begin(int epochs, long rows) {
    if (begun) {
      return;
    }
    begun = true;
    long examples = epochs * trainRows + rows;
    parts = parts(examples);
    curve.keep(point -> point.epoch() <= epochs);
    losses.keep(point -> point.examples() <= examples);
  }

  private long parts(long examples) {
    return examples * PARTS / trainRows;
  }

  @Override
  public void progress(int epoch, long rows, long of, double loss) {
    begin(0, 0);
    long examples = (epoch - 1) * trainRows + rows;
    if (parts(examples) > parts) {
      parts = parts(examples);
      losses.add(new LossPoint(examples, loss));
    }
    line.progress(epoch, rows, of, loss);
  }

  @Override
  public void epoch(Trainer.Epoch epoch) {
    begin(0, 0);
    CurvePoint point = CurvePoint.of(epoch, trainRows);
    curve.add(point);
    line.epoch(point);
  }

  @Override
  public void resumed(int epochs, long rows, long of) {
    begin(epochs, rows);
    line.resumed(epochs, rows, of);
  }

  @Override
  public void stopped(int epochs, long rows, long of) {
    line.stopped(epochs, rows, of);
  }
}
