using System.Text;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos;

/// <summary>The exception for every failure to get, open or use a Kerberos ticket. It is the only exception that a KDC's bytes can
/// cause.</summary>
/// <remarks>Cancellation by the caller throws <see cref="OperationCanceledException"/>. The message starts with the RFC's name of the
/// error. It then names the exchange, the service, the user and the known cause. Text that came from another party is escaped and
/// bounded.</remarks>
public sealed class KerberosException : Exception
{
    internal KerberosException(KerberosFailure failure, Exception? inner = null)
        : base(failure.Describe(), inner) => Failure = failure;

    internal KerberosFailure Failure { get; }

    /// <summary>The KDC's error code (RFC 4120 §7.5.9). Null if no KDC sent one (unreachable, time-out, rejected reply).</summary>
    public KerberosErrorCode? Code => Failure.Code;

    /// <summary>The RFC's name of <see cref="Code"/>, such as <c>KDC_ERR_BADOPTION</c>, for use in searches. Null if <see cref="Code"/> is
    /// null.</summary>
    public string? CodeName => Code is { } code ? KerberosErrorNames.Get(code) : null;

    /// <summary>The step that failed.</summary>
    public KerberosExchange Exchange => Failure.Exchange ?? KerberosExchange.Configuration;

    /// <summary>The known cause beyond the code.</summary>
    public KerberosFailureReason Reason => Failure.Reason;

    /// <summary>The NTSTATUS from an Active Directory KDC (MS-KILE §2.2.1), or null. It is not authenticated: treat it as a
    /// hint.</summary>
    public int? NtStatus => Failure.NtStatus;

    /// <summary>The realm that the request was sent to, or an empty string.</summary>
    public string Realm => Failure.Realm ?? "";

    /// <summary>The delegating account, or null before it is known.</summary>
    public string? Account => Failure.Account;

    /// <summary>The user to act as, or null for the account's own log-on.</summary>
    public KerberosPrincipal? User => Failure.User;

    /// <summary>The target service, or null.</summary>
    public ServicePrincipalName? Service => Failure.Service;

    /// <summary>The realm of the delegating account, or an empty string before it is known.</summary>
    public string AccountRealm => Failure.AccountRealm ?? "";

    /// <summary>The source of the delegating account's keys, or null before it is known.</summary>
    public AccountKeySource? KeySource => Failure.KeySource;

    /// <summary>The implementation of the KDC that was asked. Not authenticated: a hint.</summary>
    public KdcSoftware KdcSoftware => Failure.KdcSoftware;

    /// <summary>The text of the KDC's error (e-text, RFC 4120 §5.9.1), or null. Not authenticated: a hint.</summary>
    public string? KdcText => Failure.KdcText;

    /// <summary>Whether the same request may succeed later without a change (KDC down, time-out, queue full). False for a
    /// refusal.</summary>
    public bool IsTransient => Failure.IsTransient;

    /// <summary>The cause, without the code and the names.</summary>
    public string Detail => Failure.Detail;

    /// <summary>Creates the exception for malformed bytes. The exchange adds its names (<see cref="InContext"/>).</summary>
    internal static KerberosException Malformed(string message, string detail, Exception? inner = null) =>
        new(new KerberosFailure { Reason = KerberosFailureReason.ReplyRejected, Detail = $"{message} {detail}" }, inner);

    /// <inheritdoc cref="Malformed(string, string, Exception)"/>
    internal static KerberosException Malformed(string message, FailureDetail detail) => Malformed(message, detail.ToString());

    /// <summary>Creates the exception for a reply that is well-formed but does not answer the request.</summary>
    internal static KerberosException Rejected(string detail) =>
        new(new KerberosFailure { Reason = KerberosFailureReason.ReplyRejected, Detail = detail });

    /// <inheritdoc cref="Rejected(string)"/>
    internal static KerberosException Rejected(FailureDetail detail) => Rejected(detail.ToString());

    /// <summary>Returns the same failure with names from <paramref name="context"/> where it has none.</summary>
    internal KerberosException InContext(KerberosFailure context) =>
        new(Failure with
        {
            Exchange = Failure.Exchange ?? context.Exchange,
            Realm = Failure.Realm ?? context.Realm,
            Account = Failure.Account ?? context.Account,
            User = Failure.User ?? context.User,
            Service = Failure.Service ?? context.Service,
            AccountRealm = Failure.AccountRealm ?? context.AccountRealm,
            KeySource = Failure.KeySource ?? context.KeySource,
            KdcSoftware = context.KdcSoftware == KdcSoftware.Unknown ? Failure.KdcSoftware : context.KdcSoftware,
        }, InnerException);
}

/// <summary>The data of a <see cref="KerberosException"/>. Each waiter of a shared exchange throws an exception of its own with the same
/// data.</summary>
internal sealed record KerberosFailure
{
    /// <summary>The limit for a whole detail. Single values in it are bounded by <see cref="FailureDetail"/>.</summary>
    private const int MaxDetailLength = 4096;

    public KerberosErrorCode? Code { get; init; }
    public KerberosExchange? Exchange { get; init; }
    public KerberosFailureReason Reason { get; init; }
    public int? NtStatus { get; init; }
    public string? Realm { get; init; }
    public string? Account { get; init; }
    public KerberosPrincipal? User { get; init; }
    public ServicePrincipalName? Service { get; init; }
    public string? AccountRealm { get; init; }
    public AccountKeySource? KeySource { get; init; }
    public KdcSoftware KdcSoftware { get; init; }
    public string? KdcText { get; init => field = value is null ? null : PrintableText.From(value, 256); }
    public bool IsTransient { get; init; }

    /// <summary>The cause. Made printable and bounded here, whatever it was composed of.</summary>
    public string Detail { get; init => field = PrintableText.From(value, MaxDetailLength); } = "";

    public string Describe()
    {
        var text = new StringBuilder(Code is { } code ? KerberosErrorNames.Get(code) : Reason.ToString());
        if (NtStatus is { } status)
            text.Append(" (NTSTATUS 0x").Append(status.ToString("X8", null)).Append(')');
        text.Append(" in ").Append(Exchange ?? KerberosExchange.Configuration);
        if (Service is not null)
            text.Append(" for ").Append(Service);
        if (User is not null)
            text.Append(" as ").Append(User);
        if (Account is not null)
            text.Append(" by ").Append(Account);
        if (!string.IsNullOrEmpty(Realm))
            text.Append(" at ").Append(Realm);
        if (Detail.Length > 0)
            text.Append(": ").Append(Detail);
        return text.ToString();
    }
}
