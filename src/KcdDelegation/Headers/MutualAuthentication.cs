namespace KcdDelegation;

/// <summary>Whether the backend must prove that it holds the service's key (RFC 4120 §3.2.5).</summary>
public enum MutualAuthentication
{
    /// <summary>No proof is requested.</summary>
    Off,

    /// <summary>A proof is requested. A proof that is sent must be correct; a missing one is tolerated.</summary>
    Optional,

    /// <summary>A proof is requested. A response without a correct proof is not passed on, except one that refuses the ticket or the size
    /// of the header.</summary>
    Required,
}
