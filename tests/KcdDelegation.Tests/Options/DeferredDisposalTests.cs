using KcdDelegation.Lifetime;

namespace KcdDelegation.Tests.Settings;

public sealed class DeferredDisposalTests
{
    [Fact]
    public async Task A_replaced_object_is_disposed_after_the_delay()
    {
        var time = new HandTurnedTime();
        await using var retirement = new DeferredDisposal(time);
        var replaced = new Closable();

        retirement.Add(replaced);
        replaced.Closed.Task.IsCompleted.ShouldBeFalse();
        time.DueTimes.ShouldBe([DeferredDisposal.Grace]);
        time.Elapse();

        await replaced.Closed.Task;
    }

    [Fact]
    public async Task Disposal_ends_the_delay_and_waits_for_the_objects()
    {
        var retirement = new DeferredDisposal(new HandTurnedTime());
        var replaced = new Closable();
        retirement.Add(replaced);

        await retirement.DisposeAsync();

        replaced.Closed.Task.IsCompletedSuccessfully.ShouldBeTrue();
        await retirement.DisposeAsync();
    }

    private sealed class Closable : IAsyncDisposable
    {
        public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask DisposeAsync()
        {
            Closed.SetResult();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>A time source whose timers fire when a test advances it.</summary>
    private sealed class HandTurnedTime : TimeProvider
    {
        private readonly List<Action> _timers = [];

        public List<TimeSpan> DueTimes { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            DueTimes.Add(dueTime);
            _timers.Add(() => callback(state));
            return base.CreateTimer(static _ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void Elapse() => _timers.ForEach(timer => timer());
    }
}
