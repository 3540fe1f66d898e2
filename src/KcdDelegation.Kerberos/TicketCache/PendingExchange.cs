using System.Diagnostics;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>How a shared exchange ended. A value, not an exception: each waiter makes an exception object of its own.</summary>
internal abstract record ExchangeOutcome
{
    public sealed record Completed(ICachedTicket Ticket) : ExchangeOutcome;

    public sealed record Failed(KerberosFailure Failure, Exception Error) : ExchangeOutcome;

    /// <summary>Something other than a KDC or a time-out: a defect, or a disposed client.</summary>
    public sealed record Faulted(Exception Error) : ExchangeOutcome;

    /// <summary>Purged while under way: what came is dropped, and who still waits asks again.</summary>
    public sealed record Purged : ExchangeOutcome;
}

/// <summary>One exchange, and the callers who wait for it.</summary>
internal sealed class PendingExchange
{
    private readonly TaskCompletionSource<ExchangeOutcome> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<ExchangeOutcome> Outcome => _completion.Task;

    /// <summary>Whose request began the exchange.</summary>
    public Activity? Beginner { get; } = System.Diagnostics.Activity.Current;

    /// <summary>The exchange's own span; callers are linked to it, since it belongs to none of them.</summary>
    public Activity? Activity { get; private set; }

    public Activity? StartActivity(TicketKind kind) => Activity = TicketCacheMetrics.Activities.StartActivity(
        kind.ToString(), ActivityKind.Client, default(ActivityContext), links: Beginner is null ? null : [new ActivityLink(Beginner.Context)]);

    public void Complete(ExchangeOutcome outcome) => _completion.SetResult(outcome);

    /// <summary>Waits by the caller's own token; the exchange goes on when all have left.</summary>
    public Task<ExchangeOutcome> WaitAsync(CancellationToken cancellationToken)
    {
        if (System.Diagnostics.Activity.Current is { } caller)
            Activity?.AddLink(new ActivityLink(caller.Context));
        return _completion.Task.WaitAsync(cancellationToken);
    }
}
