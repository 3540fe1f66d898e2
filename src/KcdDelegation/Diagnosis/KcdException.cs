using System.Diagnostics;
using System.Net;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation;

/// <summary>The error that is thrown when a request cannot be sent as the user, with a cause and a remedy for administrators.</summary>
/// <remarks>Thrown before anything is sent. The exception is <see cref="KcdHandler"/>, which also throws it when a backend that must
/// authenticate itself did not. Not an <see cref="HttpRequestException"/>, because retry policies must not repeat a refusal. Immutable. Its
/// texts contain names of users and services, but no secrets and no control characters.</remarks>
public sealed class KcdException : Exception
{
    internal KcdException(DelegationFailure failure, Exception? inner = null)
        : base(failure.Describe(), inner) => Failure = failure;

    /// <summary>The section of the settings that the texts of refused tokens name.</summary>
    private const string TokenSection = "Kcd:Token";

    private DelegationFailure Failure { get; }

    /// <summary>The stage that failed.</summary>
    public KcdStage Stage => Failure.Stage;

    /// <summary>The meaning of the failure for the host. It decides the HTTP status and the level of the log event.</summary>
    public KcdErrorKind Kind => Failure.Kind;

    /// <summary>The HTTP status for the host's answer to its caller: 401 if the caller is not authenticated, 403 if delegation is refused,
    /// 400 for a request that cannot be sent, 503 if a server is unavailable.</summary>
    /// <remarks>A configuration error is answered 403 too: the gateway works, and signing in again or repeating the request does not
    /// help.</remarks>
    public HttpStatusCode StatusCode => Kind switch
    {
        KcdErrorKind.NotAuthenticated => HttpStatusCode.Unauthorized,
        KcdErrorKind.BadRequest => HttpStatusCode.BadRequest,
        KcdErrorKind.Unavailable => HttpStatusCode.ServiceUnavailable,
        _ => HttpStatusCode.Forbidden,
    };

    /// <summary>The event number, the same as in the log: 12027, 13016, 13019, 13020, 13022 or one of this project.</summary>
    public int EventId => Failure.EventId;

    /// <summary>The cause, with the names that are known.</summary>
    public string Cause => Failure.Cause;

    /// <summary>The steps that correct it.</summary>
    public string Remedy => Failure.Remedy;

    /// <summary>Whether a later attempt may succeed without a change: a server is unavailable or busy. A refusal is not
    /// transient.</summary>
    public bool IsTransient => Failure.IsTransient;

    /// <summary>The W3C trace identifier (32 hexadecimal digits) of the request, or null without a trace.</summary>
    public string? TraceId { get; } = Activity.Current?.TraceId.ToString();

    /// <summary>Explains an error of the engine: its stage, its cause, and a remedy with the exact names and commands.</summary>
    /// <param name="error">The exception of the engine. It becomes the inner exception.</param>
    public static KcdException Explain(KerberosException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new KcdException(ErrorCatalogue.Explain(error), error);
    }

    /// <summary>Creates an exception of the same failure for another caller. An exception object is thrown once only.</summary>
    internal KcdException Copy() => new(Failure, InnerException);

    /// <summary>Creates an exception of the same failure for a host that has the settings of tokens in another section than
    /// <c>Kcd:Token</c>.</summary>
    internal KcdException WithTokenSection(string section) => new(
        Failure with
        {
            Cause = Failure.Cause.Replace(TokenSection, section, StringComparison.Ordinal),
            Remedy = Failure.Remedy.Replace(TokenSection, section, StringComparison.Ordinal),
        },
        InnerException);
}
