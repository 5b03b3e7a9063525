package dev.wukong.serving.events;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What waits to be written, in order of arrival, bounded by its {@link QueueRoom}. Any thread adds;
 * only the one that writes takes.
 */
final class WriteQueue {
  /** What an attempt to add says. */
  enum Added {
    ADDED,
    FULL,
    CLOSED
  }

  private final QueueRoom room;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private final Condition emptied = lock.newCondition();
  private final ArrayDeque<WaitingEvent> waiting = new ArrayDeque<>();
  private long bytes;
  private boolean closed;

  WriteQueue(QueueRoom room) {
    this.room = room;
  }

  /** Adds {@code event} if there is room for it now. */
  Added offer(WaitingEvent event) {
    lock.lock();
    try {
      return tryAdd(event);
    } finally {
      lock.unlock();
    }
  }

  /** Adds {@code event}, and waits for so long until there is room for it. */
  Added put(WaitingEvent event, Duration patience) throws InterruptedException {
    long left = patience.toNanos();
    lock.lockInterruptibly();
    try {
      Added added = tryAdd(event);
      while (added == Added.FULL && left > 0) {
        left = emptied.awaitNanos(left);
        added = tryAdd(event);
      }
      return added;
    } finally {
      lock.unlock();
    }
  }

  /** Adds {@code event}, of which there are few, whether or not there is room. */
  Added force(WaitingEvent event) {
    lock.lock();
    try {
      return closed ? Added.CLOSED : add(event);
    } finally {
      lock.unlock();
    }
  }

  private Added tryAdd(WaitingEvent event) {
    if (closed) {
      return Added.CLOSED;
    }
    if (waiting.size() >= room.events() || event.bytes() > room.bytes() - bytes) {
      return Added.FULL;
    }
    return add(event);
  }

  private Added add(WaitingEvent event) {
    waiting.add(event);
    bytes += event.bytes();
    filled.signal();
    return Added.ADDED;
  }

  /**
   * What is there, up to {@code most} bytes but one event at least; waits for so long until there
   * is one. Empty if none came, or none will: see {@link #ended}.
   */
  List<WaitingEvent> take(long most, Duration patience) throws InterruptedException {
    long left = patience.toNanos();
    List<WaitingEvent> taken = new ArrayList<>();
    lock.lockInterruptibly();
    try {
      while (waiting.isEmpty() && !closed && left > 0) {
        left = filled.awaitNanos(left);
      }
      long size = 0;
      for (WaitingEvent next = waiting.peek();
          next != null && (taken.isEmpty() || size + next.bytes() <= most);
          next = waiting.peek()) {
        size += next.bytes();
        taken.add(waiting.remove());
      }
      bytes -= size;
      emptied.signalAll();
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /** How many wait. */
  int size() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  /** Whether nothing waits or ever will. */
  boolean ended() {
    lock.lock();
    try {
      return closed && waiting.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /** Refuses what comes from now on; what waits can still be taken. */
  void close() {
    lock.lock();
    try {
      closed = true;
      filled.signalAll();
      emptied.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
