using System.Diagnostics;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation;

/// <summary>Why a request was not sent as the user, in terms that an administrator can act on. Thrown before anything is sent,
/// save by <see cref="KcdHandler"/> where the backend had to prove itself and did not. Not an <see cref="HttpRequestException"/>: retry
/// policies must not repeat a refusal. Immutable; its texts hold no secret and no control
/// character, but names of users and services.</summary>
public sealed class KcdException : Exception
{
    internal KcdException(DelegationFailure failure, Exception? inner = null)
        : base(failure.Describe(), inner) => Failure = failure;

    private DelegationFailure Failure { get; }

    /// <summary>Where it failed.</summary>
    public KcdStage Stage => Failure.Stage;

    /// <summary>12027, 13016, 13019, 13020, 13022 or this project's own number; the same as in the log.</summary>
    public int EventId => Failure.EventId;

    /// <summary>What is wrong, with the names at hand.</summary>
    public string Cause => Failure.Cause;

    /// <summary>What to do about it.</summary>
    public string Remedy => Failure.Remedy;

    /// <summary>True: may pass by itself (a server is down or busy). False: a refusal, which comes again until something is changed.</summary>
    public bool IsTransient => Failure.IsTransient;

    /// <summary>The trace in which it happened (W3C trace id, 32 hexadecimal digits), to find it in the log; null without a trace.</summary>
    public string? TraceId { get; } = Activity.Current?.TraceId.ToString();

    /// <summary>Explains an error of the engine: stage, cause and remedy with the exact names and commands.</summary>
    /// <param name="error">What the engine threw; it becomes the inner exception.</param>
    public static KcdException Explain(KerberosException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new KcdException(ErrorCatalogue.Explain(error), error);
    }

    /// <summary>The same failure for another caller: an exception object belongs to one thrower.</summary>
    internal KcdException Copy() => new(Failure, InnerException);
}
