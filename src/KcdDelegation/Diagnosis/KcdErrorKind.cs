namespace KcdDelegation;

/// <summary>The meaning of a failure for the host. It decides who can correct it, and which HTTP status fits.</summary>
public enum KcdErrorKind
{
    /// <summary>Delegation is set up wrongly: the delegating account, its key, its right to delegate, a service principal name, a trust, or
    /// a setting. An operator must act. 403.</summary>
    Configuration,

    /// <summary>This user may not be delegated: protected from delegation, disabled, unknown to the directory, a guest or a built-in
    /// account. Other users are not affected. 403.</summary>
    UserNotPermitted,

    /// <summary>The request cannot be sent with the ticket of any user: its target, its method or its fields. 400.</summary>
    BadRequest,

    /// <summary>A server does not answer, is overloaded, or its clock differs. The same request may succeed later. 503.</summary>
    Unavailable,

    /// <summary>There is no authenticated caller, or the caller's own token or ticket is not accepted. 401.</summary>
    NotAuthenticated,
}
