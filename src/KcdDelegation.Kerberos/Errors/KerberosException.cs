using System.Text;
using KcdDelegation.Kerberos.Errors;

namespace KcdDelegation.Kerberos;

/// <summary>The only exception that bytes from a KDC can cause. A caller's cancellation is <see cref="OperationCanceledException"/>.
/// Its message starts with the RFC's name of the error and says the exchange, the service, the user and what is known of the cause.</summary>
public sealed class KerberosException : Exception
{
    internal KerberosException(KerberosFailure failure, Exception? inner = null)
        : base(failure.Describe(), inner) => Failure = failure;

    internal KerberosFailure Failure { get; }

    /// <summary>The KDC's code (RFC 4120 §7.5.9); null when no KDC spoke (unreachable, time-out, rejected reply).</summary>
    public KerberosErrorCode? Code => Failure.Code;

    /// <summary>The RFC's name of <see cref="Code"/>, such as <c>KDC_ERR_BADOPTION</c>, for which administrators search; null when no KDC spoke.</summary>
    public string? CodeName => Code is { } code ? KerberosErrorNames.Get(code) : null;

    /// <summary>The step that failed.</summary>
    public KerberosExchange Exchange => Failure.Exchange ?? KerberosExchange.Configuration;

    /// <summary>What is known of the cause beyond the code.</summary>
    public KerberosFailureReason Reason => Failure.Reason;

    /// <summary>The NTSTATUS that an Active Directory KDC sent along (MS-KILE §2.2.1), or null. Unauthenticated: a hint.</summary>
    public int? NtStatus => Failure.NtStatus;

    /// <summary>The realm that was asked; empty if none was.</summary>
    public string Realm => Failure.Realm ?? "";

    /// <summary>The delegating account, or null before it is known.</summary>
    public string? Account => Failure.Account;

    /// <summary>The user to act as, or null (the account's own log-on).</summary>
    public KerberosPrincipal? User => Failure.User;

    /// <summary>The target service, or null.</summary>
    public ServicePrincipalName? Service => Failure.Service;

    /// <summary>True: may work later without a change (KDC down, time-out, queue full). False: a refusal.</summary>
    public bool IsTransient => Failure.IsTransient;

    /// <summary>What was found wrong, without the code and the names.</summary>
    public string Detail => Failure.Detail;

    /// <summary>Garbage from the wire. Whoever runs the exchange adds where it happened (<see cref="InContext"/>).</summary>
    internal static KerberosException Malformed(string message, string detail, Exception? inner = null) =>
        new(new KerberosFailure { Reason = KerberosFailureReason.ReplyRejected, Detail = $"{message} {detail}" }, inner);

    /// <summary>A reply that is well-formed but not the answer to the request.</summary>
    internal static KerberosException Rejected(string detail) =>
        new(new KerberosFailure { Reason = KerberosFailureReason.ReplyRejected, Detail = detail });

    /// <summary>The same failure with the names of <paramref name="context"/> where it has none of its own.</summary>
    internal KerberosException InContext(KerberosFailure context) =>
        new(Failure with
        {
            Exchange = Failure.Exchange ?? context.Exchange,
            Realm = Failure.Realm ?? context.Realm,
            Account = Failure.Account ?? context.Account,
            User = Failure.User ?? context.User,
            Service = Failure.Service ?? context.Service,
        }, InnerException);
}

/// <summary>What a <see cref="KerberosException"/> carries; a value, so that every waiter of a shared exchange gets an exception of its own.</summary>
internal sealed record KerberosFailure
{
    public KerberosErrorCode? Code { get; init; }
    public KerberosExchange? Exchange { get; init; }
    public KerberosFailureReason Reason { get; init; }
    public int? NtStatus { get; init; }
    public string? Realm { get; init; }
    public string? Account { get; init; }
    public KerberosPrincipal? User { get; init; }
    public ServicePrincipalName? Service { get; init; }
    public bool IsTransient { get; init; }
    public string Detail { get; init; } = "";

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
