namespace KcdDelegation.Kerberos;

/// <summary>The reason why a managed password cannot be read.</summary>
public enum ManagedPasswordFailure
{
    /// <summary>The directory did not answer, or answered with a temporary error.</summary>
    Unavailable,

    /// <summary>The directory has no such account, or it is no managed service account.</summary>
    AccountNotFound,

    /// <summary>The reader may not read the password: it is not among the principals of the account.</summary>
    NotPermitted,

    /// <summary>The directory returns the password over encrypted connections only, and this one was not.</summary>
    NotEncrypted,

    /// <summary>The account is disabled in the directory.</summary>
    AccountDisabled,

    /// <summary>The reader itself was refused: its key, its name, or its right to log on.</summary>
    ReaderRefused,

    /// <summary>The directory returned a value that is not valid.</summary>
    Malformed,
}

/// <summary>The password of a group managed service account cannot be read.</summary>
public sealed class ManagedPasswordException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="failure">The reason.</param>
    /// <param name="message">What failed and why, without secrets.</param>
    /// <param name="innerException">The cause, or null.</param>
    public ManagedPasswordException(ManagedPasswordFailure failure, string message, Exception? innerException = null)
        : base(message, innerException) => Failure = failure;

    /// <summary>Gets the reason.</summary>
    public ManagedPasswordFailure Failure { get; }
}
