using System.Diagnostics;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The outcome of a shared exchange. A value rather than an exception: each waiter creates its own exception object.</summary>
internal abstract record ExchangeOutcome
{
    public sealed record Completed(ICachedTicket Ticket) : ExchangeOutcome;

    public sealed record Failed(KerberosFailure Failure, Exception Error) : ExchangeOutcome;

    /// <summary>A failure that no KDC or time-out caused: a defect, or a disposed client.</summary>
    public sealed record Faulted(Exception Error) : ExchangeOutcome;

    /// <summary>The entry was purged during the exchange. The ticket is discarded and the waiters request again.</summary>
    public sealed record Purged : ExchangeOutcome;
}

/// <summary>An exchange and the callers who wait for it.</summary>
internal sealed class PendingExchange
{
    private readonly TaskCompletionSource<ExchangeOutcome> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<ExchangeOutcome> Outcome => _completion.Task;

    /// <summary>Gets the activity of the request that started the exchange.</summary>
    public Activity? Initiator { get; } = System.Diagnostics.Activity.Current;

    /// <summary>Gets the exchange's own activity. It belongs to no caller; callers are linked to it.</summary>
    public Activity? Activity { get; private set; }

    public Activity? StartActivity(TicketKind kind) => Activity = TicketCacheMetrics.Activities.StartActivity(
        kind.ToString(),
        ActivityKind.Client,
        default(ActivityContext),
        links: Initiator is null ? null : [new ActivityLink(Initiator.Context)]);

    public void Complete(ExchangeOutcome outcome) => _completion.SetResult(outcome);

    /// <summary>Waits for the outcome. The token cancels this wait only; the exchange continues without waiters.</summary>
    public Task<ExchangeOutcome> WaitAsync(CancellationToken cancellationToken)
    {
        if (System.Diagnostics.Activity.Current is { } caller)
            Activity?.AddLink(new ActivityLink(caller.Context));
        return _completion.Task.WaitAsync(cancellationToken);
    }
}
