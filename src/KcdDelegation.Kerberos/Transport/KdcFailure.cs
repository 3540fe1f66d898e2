using System.Net.Sockets;
using KcdDelegation.Kerberos.Errors;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>Descriptions of why one KDC gave no usable answer. Each follows the KDC's name: "dc1:88 refused the connection".</summary>
internal static class KdcFailure
{
    public const string RejectedReply = "sent a reply that was rejected";

    public static KerberosException Unreachable(string description, Exception? inner = null) =>
        new(new KerberosFailure { Reason = KerberosFailureReason.KdcUnreachable, IsTransient = true, Detail = description }, inner);

    /// <summary>Creates the failure for a connection that the KDC closed.</summary>
    public static KerberosException Closed(string description) =>
        Unreachable(description, new SocketException((int)SocketError.ConnectionReset));

    /// <summary>Describes a failure for an exception message. The description can contain user names.</summary>
    public static string Describe(KerberosException error) =>
        IsRejectedReply(error) ? $"{DescribeForLog(error)}: {error.Detail}" : DescribeForLog(error);

    /// <summary>Describes a failure for the log, without user names.</summary>
    public static string DescribeForLog(KerberosException error) => error switch
    {
        { Code: { } code } => $"answered {KerberosErrorNames.Get(code)}",
        { Reason: KerberosFailureReason.ReplyRejected } => RejectedReply,
        // The transport's own details name no user.
        _ => error.Detail,
    };

    /// <summary>Describes a socket error.</summary>
    public static string Describe(SocketException error) => error.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "refused the connection",
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => "closed the connection without an answer",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown =>
            "cannot be reached: there is no route to it",
        SocketError.HostNotFound or SocketError.NoData => "has a name that cannot be resolved",
        SocketError.TryAgain => "has a name that could not be resolved: no name server answered",
        SocketError.TimedOut => "did not accept the connection",
        SocketError.AccessDenied => "could not be connected to: the operating system denied access",
        var other => $"failed: {other}",
    };

    /// <summary>Returns whether a reply arrived that is not a valid answer to the request.</summary>
    public static bool IsRejectedReply(KerberosException error) => error is { Code: null, Reason: KerberosFailureReason.ReplyRejected };

    /// <summary>Returns whether the KDC may be restarting: it refused the connection, or closed it without an answer.</summary>
    /// <remarks>A request that proves a key is not repeated after it was sent, so for it only a refused connection counts.</remarks>
    public static bool IsRestart(KerberosException error, KdcRequestMode mode) =>
        error is { Code: null, Reason: KerberosFailureReason.KdcUnreachable, InnerException: SocketException socket }
        && socket.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => true,
            SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => mode == KdcRequestMode.Hedged,
            _ => false,
        };

    /// <summary>Returns whether another KDC may answer. Every other KRB-ERROR is the realm's answer, which all its KDCs give.</summary>
    public static bool IsSpecificToKdc(Exception error) => error is KerberosException kerberos
        && (kerberos.Code is { } code
            ? code == KerberosErrorCode.ServiceUnavailable
            : kerberos.Reason is KerberosFailureReason.KdcUnreachable or KerberosFailureReason.ReplyRejected);
}
