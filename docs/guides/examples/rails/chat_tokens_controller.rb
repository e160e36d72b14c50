# app/controllers/chat_tokens_controller.rb
#
# Gemfile:           gem "httparty"
# config/routes.rb:  post "/api/auth/chat-token", to: "chat_tokens#create"
#
# authenticate_user! and current_user are your app's own (Devise brings both).
class ChatTokensController < ApplicationController
  before_action :authenticate_user!

  TIME_LIMIT_SECONDS = 5
  # What the caller can do something about. All else is between this server and the chat deployment.
  PASSED_ON = [400, 403, 409, 429].freeze
  NOT_ANSWERED = [HTTParty::Error, Timeout::Error, SocketError, SystemCallError, OpenSSL::SSL::SSLError, EOFError].freeze

  # Chat tokens for whoever is signed in.
  def create
    answer = mint_tokens
    reply = JSON.parse(answer.body)
    response.headers["Cache-Control"] = "no-store"
    answer.success? ? render(json: reply) : refuse(answer, reply)
  rescue *NOT_ANSWERED, JSON::ParserError => error
    logger.error("chat: /v1/tokens was not answered (#{error.class})")
    unavailable
  end

  private

  def mint_tokens
    HTTParty.post(
      "#{ENV.fetch('CHATSDK_API_URL')}/v1/tokens",
      headers: { "X-API-Key" => ENV.fetch("CHATSDK_API_KEY"), "Content-Type" => "application/json" },
      body: {
        userId: current_user.id.to_s, # an id is text
        name: current_user.name,
        image: current_user.avatar_url,
        custom: { department: current_user.department }
      }.compact.to_json, # a field without a value is left out: null is not a name
      timeout: TIME_LIMIT_SECONDS,
      follow_redirects: false,
      format: :plain
    )
  end

  def refuse(answer, reply)
    retry_after = answer.headers["retry-after"]
    if PASSED_ON.include?(answer.code)
      response.headers["Retry-After"] = retry_after if retry_after
      return render json: { error: reply["code"], message: reply["detail"] }, status: answer.code
    end
    logger.error("chat: /v1/tokens answered #{answer.code} #{reply['code']}, request #{reply['requestId']}")
    return unavailable(retry_after || "5") if answer.code >= 500

    # A refused key, for one. As a 401 it would send your user to sign in again, for nothing.
    render json: { error: "chat_refused" }, status: :bad_gateway
  end

  def unavailable(retry_after = "5")
    response.headers["Retry-After"] = retry_after
    render json: { error: "chat_unavailable" }, status: :service_unavailable
  end
end
