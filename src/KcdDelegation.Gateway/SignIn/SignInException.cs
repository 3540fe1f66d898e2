namespace KcdDelegation.Gateway.SignIn;

/// <summary>Thrown when a sign-in must not be completed for a reason that is not a flaw of a token.</summary>
/// <param name="failure">The reason.</param>
/// <param name="message">The reason for the log. It contains no token and no user.</param>
internal sealed class SignInException(SignInFailure failure, string message) : Exception(message)
{
    public SignInFailure Failure => failure;
}

/// <summary>The reasons why a sign-in is not completed.</summary>
internal enum SignInFailure
{
    /// <summary>The provider has returned an error.</summary>
    ProviderError,

    /// <summary>The state of the answer is unknown, was used before or is too old.</summary>
    StateLost,

    /// <summary>The answer or a token in it is not accepted.</summary>
    AnswerRefused,

    /// <summary>The user has not authenticated in the way that the application requires.</summary>
    AcrMissing,

    /// <summary>The provider does not answer.</summary>
    ProviderUnavailable,
}
