using System.Net.Sockets;
using KcdDelegation.Kerberos.Errors;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>Why one KDC gave no usable answer, in words that fit behind its name: "dc1:88 refused the connection".</summary>
internal static class KdcFailure
{
    public static KerberosException Unreachable(string what, Exception? inner = null) =>
        new(new KerberosFailure { Reason = KerberosFailureReason.KdcUnreachable, IsTransient = true, Detail = what }, inner);

    public static KerberosException Unreachable(SocketException error) => Unreachable(Words(error), error);

    /// <summary>For an exception: what was found wrong with a reply may name the user.</summary>
    public static string Words(KerberosException error) =>
        IsRejectedReply(error) ? $"{WordsForLog(error)}: {error.Detail}" : WordsForLog(error);

    /// <summary>The same without any user's name.</summary>
    public static string WordsForLog(KerberosException error) => error switch
    {
        { Code: { } code } => $"answered {KerberosErrorNames.Get(code)}",
        { Reason: KerberosFailureReason.ReplyRejected } => "gave a reply that was rejected",
        // Of the transport alone.
        _ => error.Detail,
    };

    public static string Words(SocketException error) => error.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "refused the connection",
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => "closed the connection without an answer",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown => "cannot be reached: no route to it",
        SocketError.HostNotFound or SocketError.NoData => "has a name that cannot be resolved",
        SocketError.TryAgain => "has a name that could not be resolved: no name server answered",
        SocketError.TimedOut => "did not accept the connection",
        SocketError.AccessDenied => "may not be connected to: the system denied it",
        var other => $"failed: {other}",
    };

    /// <summary>What came is no answer to the request, whoever sent it.</summary>
    public static bool IsRejectedReply(KerberosException error) => error is { Code: null, Reason: KerberosFailureReason.ReplyRejected };

    /// <summary>Whether another KDC is worth asking. Any other KRB-ERROR is the realm's word, the same at every KDC.</summary>
    public static bool IsOfThisKdcOnly(Exception error) => error is KerberosException kerberos
        && (kerberos.Code is { } code
            ? code == KerberosErrorCode.ServiceUnavailable
            : kerberos.Reason is KerberosFailureReason.KdcUnreachable or KerberosFailureReason.ReplyRejected);
}
