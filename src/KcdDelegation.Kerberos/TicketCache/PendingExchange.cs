using System.Diagnostics;
using KcdDelegation.Kerberos.Errors;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The outcome of a shared exchange. A value rather than an exception: each waiter creates its own exception object.</summary>
internal abstract record ExchangeOutcome
{
    public sealed record Completed(ICachedTicket Ticket) : ExchangeOutcome;

    /// <summary>A failure, and the exception below it, such as that of a socket. Each waiter throws one exception that has both.</summary>
    public sealed record Failed(KerberosFailure Failure, Exception? Cause) : ExchangeOutcome;

    /// <summary>A failure that no KDC or time-out caused: a defect, or a disposed client.</summary>
    public sealed record Faulted(Exception Error) : ExchangeOutcome;

    /// <summary>The entry was purged during the exchange. The ticket is discarded and the waiters request again.</summary>
    public sealed record Purged : ExchangeOutcome;
}

/// <summary>The exception inside an exchange whose nested exchange was purged. It never leaves the cache.</summary>
internal sealed class ExchangePurgedException() : Exception("A nested exchange was purged.");

/// <summary>An exchange and the callers who wait for it.</summary>
/// <param name="isAwaited">Whether the caller that starts the exchange waits for it. A renewal in the background has no
/// waiter.</param>
internal sealed class PendingExchange(bool isAwaited)
{
    private readonly TaskCompletionSource<ExchangeOutcome> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<ExchangeOutcome> Outcome => _completion.Task;

    /// <summary>Gets the activity of the request that started the exchange.</summary>
    public Activity? Initiator { get; } = System.Diagnostics.Activity.Current;

    /// <summary>Gets the exchange's own activity: a child of the caller that started it and waits for it. Other callers are linked to
    /// it.</summary>
    public Activity? Activity { get; private set; }

    /// <summary>Starts the activity of the exchange, if a listener is attached.</summary>
    /// <param name="key">The key of the ticket. Its user is not a tag.</param>
    public Activity? StartActivity(in TicketKey key)
    {
        if (!TicketCacheMetrics.Activities.HasListeners())
            return null;
        var parent = isAwaited && Initiator is not null ? Initiator.Context : default;
        Activity = TicketCacheMetrics.Activities.StartActivity(
            $"kcd.exchange.{TicketCacheMetrics.GetName(key.Kind)}",
            ActivityKind.Client,
            parent,
            links: isAwaited || Initiator is null ? null : [new ActivityLink(Initiator.Context)]);
        Activity?.SetTag(TicketCacheMetrics.KindTag, TicketCacheMetrics.GetName(key.Kind));
        if (key.Service is not null)
            Activity?.SetTag("kcd.service", key.Service.ToString());
        return Activity;
    }

    /// <summary>Records the outcome in the activity. The description of a failure names no user.</summary>
    public void RecordOutcome(ExchangeOutcome outcome)
    {
        if (Activity is null)
            return;
        if (outcome is not ExchangeOutcome.Failed { Failure: var failure })
        {
            Activity.SetTag("kcd.outcome", outcome is ExchangeOutcome.Completed ? "ok" : "discarded");
            return;
        }
        var error = failure.Code is { } code ? KerberosErrorNames.Get(code) : failure.Reason.ToString();
        Activity.SetTag("kcd.outcome", failure.IsTransient ? "unavailable" : "refused");
        Activity.SetTag("error.type", error);
        if (failure.Realm is not null)
            Activity.SetTag("kcd.realm", failure.Realm);
        Activity.SetStatus(ActivityStatusCode.Error, error);
    }

    public void Complete(ExchangeOutcome outcome) => _completion.SetResult(outcome);

    /// <summary>Waits for the outcome. The token cancels this wait only; the exchange continues without waiters.</summary>
    public Task<ExchangeOutcome> WaitAsync(CancellationToken cancellationToken)
    {
        if (System.Diagnostics.Activity.Current is { } caller && (caller != Initiator || !isAwaited))
            Activity?.AddLink(new ActivityLink(caller.Context));
        return _completion.Task.WaitAsync(cancellationToken);
    }
}
